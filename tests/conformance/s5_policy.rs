//! S5: the access policy. Clients know its form `statements` only; an empty one clears it, and so does `null`.

use crate::Replay;
use crate::decode::{bad_request, not_found, object};
use crate::shapes::SECRET;
use serde_json::{Value, json};

const SDK: &str = r#"PUT /v1/secrets/nl-01/secret/app/prod/db/password/policy HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"accessPolicy":{"statements":[{"effect":"allow","actions":["secrets:get-value"]}]}}"#;

const SDK_PLUS: &str = r#"PUT /v1/secrets/nl-01/secret/app/a+b/policy HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"accessPolicy":{"statements":[{"effect":"deny","principals":["user:nobody"]}]}}"#;

/// What the CLI makes of a file in another form.
const CLI_OTHER_FORM: &str = r#"PUT /v1/secrets/nl-01/secret/app/prod/db/password/policy HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"accessPolicy":{}}"#;

const TERRAFORM: &str = r#"PUT /v1/secrets/nl-01/secret/app/prod/db/password/policy HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"accessPolicy":{"statements":[{"effect":"Allow","actions":["read"],"principals":["team:platform","team:engineering"]},{"effect":"Deny","actions":["delete"]}]}}"#;

const TERRAFORM_DELETE: &str = r#"PUT /v1/secrets/nl-01/secret/app/prod/db/password/policy HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"accessPolicy":{}}"#;

const SAMPLE_NULL: &str = r#"PUT /v1/secrets/nl-01/secret/app/prod/db/password/policy HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Content-Type: application/json
Content-Length: {length}

{"accessPolicy":null}"#;

const SAMPLE_CONDITIONS: &str = r#"PUT /v1/secrets/nl-01/secret/app/prod/db/password/policy HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Content-Type: application/json
Content-Length: {length}

{"accessPolicy":{"conditions":[{"type":"ip","effect":"allow","cidrs":["10.0.0.0/8"]},{"type":"time","effect":"allow","startHour":8,"endHour":18,"timezone":"Europe/Amsterdam"}]}}"#;

const SAMPLE_NO_KEY: &str = "PUT /v1/secrets/nl-01/secret/app/prod/db/password/policy HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Content-Type: application/json
Content-Length: {length}

{}";

#[test]
fn statements_come_back_as_they_were_sent() {
    let mut replay = Replay::new();
    replay.create("/app/prod/db/password");
    replay.create("/app/a+b");
    for (request, path) in
        [(SDK, "/app/prod/db/password"), (SDK_PLUS, "/app/a+b"), (TERRAFORM, "/app/prod/db/password")]
    {
        let sent: Value = serde_json::from_str(request.split("\n\n").nth(1).unwrap_or_default()).expect("JSON");
        let answer = replay.send(request);
        let secret = object(&answer, 200, &SECRET);
        assert_eq!((&secret["path"], &secret["accessPolicy"]), (&json!(path), &sent["accessPolicy"]));
        let verbatim = sent["accessPolicy"].to_string().len();
        let start = answer.text().find("\"accessPolicy\":").expect("a policy") + "\"accessPolicy\":".len();
        let policy = &answer.text()[start..start + verbatim];
        assert!(request.contains(policy), "another order or spelling: {policy}");
    }
}

#[test]
fn cleared() {
    let mut replay = Replay::new();
    replay.create("/app/prod/db/password");
    for request in [CLI_OTHER_FORM, TERRAFORM_DELETE, SAMPLE_NULL] {
        let set = object(&replay.send(TERRAFORM), 200, &SECRET);
        assert!(set.get("accessPolicy").is_some(), "{set}");
        let cleared = object(&replay.send(request), 200, &SECRET);
        assert!(cleared.get("accessPolicy").is_none(), "{cleared}");
    }
}

/// Clients ignore the members that they don't know, so the other forms must not stand where they look for theirs.
#[test]
fn other_forms_do_not_confuse_clients() {
    let mut replay = Replay::new();
    replay.create("/app/prod/db/password");
    let secret = object(&replay.send(SAMPLE_CONDITIONS), 200, &SECRET);
    assert!(secret["accessPolicy"].get("statements").is_none(), "{secret}");
    assert_eq!(secret["accessPolicy"]["conditions"][1]["timezone"], "Europe/Amsterdam");
}

#[test]
fn refused() {
    let mut replay = Replay::new();
    let _ = not_found(&replay.send(TERRAFORM_DELETE));
    replay.create("/app/prod/db/password");
    let message = bad_request(&replay.send(SAMPLE_NO_KEY));
    assert!(message.contains("accessPolicy"), "{message}");
}
