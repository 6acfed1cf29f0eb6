//! Section 9: the audit log, as the CLI pages through it and as the SDK filters.

use crate::decode::{Kind, Shape, bad_request, object};
use crate::iam_shapes::USER;
use crate::shapes::ORGANISATION;
use crate::{Replay, text};
use serde_json::{Value, json};
use std::time::Duration;
use strongroom_tests::wait_for;

static CONTEXT: Shape = Shape {
    fields: &[
        ("client_ip", Kind::Text),
        ("user_agent", Kind::Text),
        ("method", Kind::Text),
        ("path", Kind::Text),
        ("status", Kind::Int),
        ("credentials_id", Kind::Text),
        ("credentials_type", Kind::Text),
    ],
    always: &["client_ip", "method", "path", "status", "credentials_id", "credentials_type"],
};

static ENTRY: Shape = Shape {
    fields: &[
        ("createdAt", Kind::Time),
        ("eventID", Kind::Text),
        ("userIdentity", Kind::Text),
        ("user", Kind::Object(&USER)),
        ("serviceAccountIdentity", Kind::Text),
        ("impersonatorIdentity", Kind::Text),
        ("organizationIdentity", Kind::Text),
        ("organization", Kind::Object(&ORGANISATION)),
        ("projectId", Kind::Text),
        ("action", Kind::Text),
        ("description", Kind::Text),
        ("resourceType", Kind::Text),
        ("resourceIdentity", Kind::Text),
        ("context", Kind::Object(&CONTEXT)),
    ],
    always: &["createdAt", "eventID", "userIdentity", "user", "organizationIdentity", "action", "context"],
};

static PAGE: Shape = Shape {
    fields: &[
        ("items", Kind::Objects(&ENTRY)),
        ("totalItems", Kind::Int),
        ("page", Kind::Int),
        ("itemsPerPage", Kind::Int),
        ("totalPages", Kind::Int),
        ("totalCount", Kind::Int),
    ],
    always: &["items", "totalItems", "page", "itemsPerPage", "totalPages", "totalCount"],
};

/// The CLI's, which reads every page.
const CLI_PAGE: &str = "GET /v1/audit?action=secret.create&limit={limit}&page={page} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

/// The SDK's, with every filter that it has.
const SDK_ALL_FILTERS: &str = "GET /v1/audit?action=secret.create%2Ckms.encrypt&includeSystemServices=true&limit=10&organizationIdentity={organisation}&resourceIdentity=%2Fapp%2F2&resourceType=secret%2Ckms_key&responseStatus=201&searchText=APP&userIdentity={user} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_UNKNOWN_TYPE: &str = "GET /v1/audit?resourceType=machine HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CREATED: usize = 5;

/// A server on which secrets were created, all of which can be found.
fn filled() -> Replay {
    let mut replay = Replay::new();
    for n in 0..CREATED {
        replay.create(&format!("/app/{n}"));
    }
    replay.set("page", "1");
    replay.set("limit", "100");
    let all_are_found = || (object(&replay.send(CLI_PAGE), 200, &PAGE)["totalItems"] == json!(CREATED)).then_some(());
    wait_for(Duration::from_secs(30), all_are_found).expect("records are found within seconds");
    replay
}

#[test]
fn all_pages_are_read() {
    let mut replay = filled();
    replay.set("limit", "2");
    let (mut found, mut page) = (Vec::new(), 1);
    loop {
        replay.set("page", page.to_string());
        let answer = object(&replay.send(CLI_PAGE), 200, &PAGE);
        let items = answer["items"].as_array().expect("a list").clone();
        let is_last = items.is_empty() || page >= answer["totalPages"].as_i64().expect("a number");
        found.extend(items);
        if is_last {
            break;
        }
        page += 1;
    }
    let paths: Vec<Value> = found.iter().map(|entry| entry["resourceIdentity"].clone()).collect();
    assert_eq!(json!(paths), json!(["/app/4", "/app/3", "/app/2", "/app/1", "/app/0"]), "newest first");
    assert_eq!(page, 3);
    replay.set("page", "4");
    assert_eq!(object(&replay.send(CLI_PAGE), 200, &PAGE)["items"], json!([]));

    replay.set("user", text(&found[0], "userIdentity"));
    let filtered = object(&replay.send(SDK_ALL_FILTERS), 200, &PAGE);
    assert_eq!(filtered["items"], json!([found[2]]));
    assert!(bad_request(&replay.send(SDK_UNKNOWN_TYPE)).contains("kms_key"));
}
