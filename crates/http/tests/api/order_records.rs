//! What a known caller tried leaves a record, wherever in the order of checks it ended; and only one.

use crate::support::{MAX_VALUE_LEN, Room};
use serde_json::json;
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::port::Clock;
use strongroom_domain::time::Timestamp;

const PUT: &str = "POST /v1/secrets/nl-01/secret/a/versions";
const VALUE: &str = r#"{"secretString":"YQ=="}"#;

/// Action, outcome, status, who decided, and how many of organisation and region the record names.
type Line = (String, String, u16, String, usize);

fn line(record: &AuditRecord) -> Line {
    let places = usize::from(record.organisation.is_some()) + usize::from(record.region.is_some());
    let decider = record.decided_by.clone().unwrap_or_default();
    (record.action.as_str().to_owned(), record.outcome.as_str().to_owned(), record.status, decider, places)
}

/// Request, headers, body; status, who decides, and how many places.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, u16, &'a str, usize);

/// Sends, and gives the status and what was recorded meanwhile.
async fn send(room: &Room, request: &str, headers: &[(&str, &str)], body: &str) -> (u16, Vec<AuditRecord>) {
    let before = room.records_after(0).await.len();
    let status = room.raw(request, headers, body.to_owned()).await.status;
    (status, room.records_after(before).await)
}

#[tokio::test]
async fn each_refusal_leaves_one_record() {
    let room = Room::new().await;
    room.secret("/a").await;
    let unknown = "POST /v1/secrets/xx-01/secret/a/versions?project=p";
    let project = "POST /v1/secrets/nl-01/secret/a/versions?project=p";
    let admin: &[(&str, &str)] = &[("authorization", "Bearer admin")];
    let nobody: &[(&str, &str)] = &[("authorization", "Bearer nobody")];
    let everywhere = |organisation: &'static str| {
        vec![("authorization", "Bearer everywhere"), ("x-organisation-identity", organisation)]
    };
    let text: &[(&str, &str)] = &[("authorization", "Bearer admin"), ("content-type", "text/plain")];
    let doubled: &[(&str, &str)] = &[("authorization", "Bearer admin"), ("if-match", "a"), ("if-match", "b")];
    let large = " ".repeat(256 * 1024 + MAX_VALUE_LEN * 2);
    let read_scope: &[(&str, &str)] = &[("authorization", "Bearer read-scope")];
    let in_no: &[(&str, &str)] = &[("authorization", "Bearer read-scope"), ("x-organisation-identity", "no")];
    let nobody_in_no: &[(&str, &str)] = &[("authorization", "Bearer nobody"), ("x-organisation-identity", "no")];
    let rows: &[Row<'_>] = &[
        (unknown, in_no, "{", 403, "insufficient_scope", 0),
        (unknown, read_scope, "{", 403, "insufficient_scope", 1),
        (unknown, nobody_in_no, "{", 403, "organisation_denied", 0),
        (unknown, &everywhere(""), "{", 400, "organisation_required", 0),
        (unknown, &everywhere("no-secrets"), "{", 403, "gate secrets", 1),
        (unknown, &everywhere("no-projects"), "{", 403, "gate projects", 1),
        (unknown, nobody, "{", 404, "region_not_found", 1),
        (project, nobody, "{", 404, "project_not_found", 2),
        (PUT, nobody, "{", 403, "forbidden", 2),
        (PUT, text, "{", 415, "unsupported_media_type", 2),
        (PUT, admin, &large, 413, "body_too_large", 2),
        (PUT, admin, "{", 400, "invalid_request", 2),
        (PUT, admin, r#"{"secretString":"!"}"#, 400, "invalid_request", 2),
        (PUT, admin, r#"{"path":"/b","secretString":"YQ=="}"#, 400, "invalid_request", 2),
        (PUT, doubled, VALUE, 400, "invalid_request", 2),
        ("POST /v1/secrets/nl-01/secret/none/versions", admin, VALUE, 404, "secret_not_found", 2),
    ];
    for (request, headers, body, status, decider, places) in rows {
        let outcome = if *status == 403 { "denied" } else { "failure" };
        let (answered, records) = send(&room, request, headers, body).await;
        let expected = ("secret.value.write".to_owned(), outcome.to_owned(), *status, (*decider).to_owned(), *places);
        assert_eq!((answered, records.iter().map(line).collect::<Vec<_>>()), (*status, vec![expected]));
        let record = &records[0];
        assert!(record.principal.is_some() && record.credential.is_some(), "{decider}");
        let path = if request.contains("/none/") { "/none" } else { "/a" };
        assert_eq!(record.resource.as_ref().map(|it| it.identity.as_str()), Some(path), "{decider}");
    }
    let (status, records) = send(&room, PUT, admin, VALUE).await;
    let actions: Vec<_> = records.iter().map(|record| record.action.as_str()).collect();
    assert_eq!((status, actions), (201, vec!["secret.value.write", "kms.encrypt"]));
}

#[tokio::test]
async fn other_operations_record_what_their_handlers_refuse() {
    let room = Room::new().await;
    room.secret("/a").await;
    let admin: &[(&str, &str)] = &[("authorization", "Bearer admin")];
    let key = format!("POST /v1/kms/nl-01/keys/{}", room.key);
    let create = "POST /v1/secrets/nl-01/secrets";
    let bad = json!({ "path": "/new", "kmsKeyIdentity": room.key, "secretString": "!" }).to_string();
    for (request, body, status, action, resource) in [
        (create, "{", 400, "secret.create", ""),
        (create, bad.as_str(), 400, "secret.create", "/new"),
        ("POST /v1/secrets/nl-01/secret/a/value", r#"{"version":0}"#, 400, "secret.value.read", "/a"),
        ("PATCH /v1/secrets/nl-01/secret/a", "[]", 400, "secret.metadata.update", "/a"),
        ("PATCH /v1/secrets/nl-01/secret/none", r#"{"labels":{"a b":"v"}}"#, 400, "secret.metadata.update", "/none"),
        ("PUT /v1/secrets/nl-01/secret/a/policy", r#"{"accessPolicy":{"x":1}}"#, 400, "secret.policy.update", "/a"),
        ("POST /v1/kms/nl-01/keys", "{", 400, "kms.create", ""),
        (&format!("{key}/encrypt"), r#"{"plaintext":"!"}"#, 400, "kms.encrypt", room.key.as_str()),
        (&format!("{key}/rotate"), "{", 400, "kms.rotate", room.key.as_str()),
        ("GET /v1/kms/de-01/keys", "", 503, "kms.list", ""),
        ("GET /v1/kms/summary?project=p", "", 404, "kms.list", ""),
    ] {
        let before = room.records_after(0).await.len();
        let (answered, records) = send(&room, request, admin, body).await;
        assert_eq!((answered, records.len()), (status, usize::from(status < 500)), "{request}");
        // Faults on our side are counted.
        room.engine.housekeeping().await.expect("records");
        let records = room.records_after(before).await;
        let [record] = records.as_slice() else { panic!("{request}: {records:?}") };
        let identity = record.resource.as_ref().map(|it| it.identity.as_str());
        assert_eq!((record.action.as_str(), identity, record.status), (action, Some(resource), status), "{request}");
        assert_eq!(record.outcome.as_str(), "failure", "{request}");
    }
    for (request, status, recorded) in [
        ("GET /v1/kms/nl-01/keys", 200, 1),
        ("GET /v1/kms/nl-01/keys?identity=none", 200, 1),
        ("GET /v1/secrets/nl-01/secrets?path=/", 200, 1),
        ("GET /v1/secrets/nl-01/secrets?pathPrefix=/&limit=1", 200, 1),
        ("GET /v1/regions", 200, 0),
        ("GET /v1/secrets/nl-01/secret/a//b", 400, 0),
        ("GET /healthz", 200, 0),
    ] {
        let (answered, records) = send(&room, request, admin, "").await;
        assert_eq!((answered, records.len()), (status, recorded), "{request}");
    }
}

#[tokio::test]
async fn a_project_behind_a_closed_gate_is_refused_in_the_summary_too() {
    let room = Room::new().await;
    let headers = [("authorization", "Bearer everywhere"), ("x-organisation-identity", "no-projects")];
    let (status, records) = send(&room, "GET /v1/kms/summary?project=p", &headers, "").await;
    let expected = ("kms.list".to_owned(), "denied".to_owned(), 403, "gate projects".to_owned(), 1);
    assert_eq!((status, records.iter().map(line).collect::<Vec<_>>()), (403, vec![expected]));
    assert_eq!(room.raw("GET /v1/kms/summary", &headers, "").await.status, 200);
}

#[tokio::test]
async fn a_version_in_the_query_never_reveals_or_puts_another() {
    let room = Room::new().await;
    room.secret("/a").await;
    for (request, body) in
        [("POST /v1/secrets/nl-01/secret/a/value?version=99", ""), (&format!("{PUT}?version="), VALUE)]
    {
        let reply = room.raw(request, &[("authorization", "Bearer admin")], body).await;
        assert_eq!(reply.verdict(), (400, "invalid_request".to_owned()), "{request}");
        assert!(reply.message().contains("`version` goes into the body"), "{}", reply.message());
    }
    let current = room.admin("POST /v1/secrets/nl-01/secret/a/value", json!({})).await;
    assert_eq!(current.json()["version"].to_string().trim_matches('"'), "1", "nothing was put");
}

/// A clock that is set back moves no record: they stay in the order in which they came, each with what the clock said.
#[tokio::test]
async fn a_clock_that_goes_back_leaves_the_order() {
    let room = Room::new().await;
    room.secret("/a").await;
    let before = room.records_after(0).await.len();
    let begun = room.clock.now();
    let hour = 3_600_000_000;
    let steps = [0, hour, -hour, -2 * hour, 5, -24 * 365 * hour, 1];
    for step in steps {
        room.clock.set(Timestamp::from_micros(begun.as_micros() + step));
        let revealed = room.admin("POST /v1/secrets/nl-01/secret/a/value", json!({})).await;
        assert_eq!(revealed.status, 200, "{}", revealed.message());
    }
    // Refusals too, which are counted by the second.
    room.clock.set(Timestamp::from_micros(begun.as_micros() - hour));
    let refused = room.raw("GET /v1/kms/summary", &[], "").await;
    assert_eq!(refused.status, 401);
    let records = room.records_after(before).await;
    let times: Vec<i64> = records.iter().map(|record| record.at.as_micros() - begun.as_micros()).collect();
    let expected: Vec<i64> = steps.iter().flat_map(|step| [*step; 2]).chain([-hour]).collect();
    assert_eq!(times, expected);
    let actions: Vec<_> = records.iter().map(|record| record.action.as_str()).collect();
    let pairs = actions[..2 * steps.len()].chunks(2);
    assert!(pairs.into_iter().all(|pair| pair == ["secret.value.read", "kms.decrypt"]), "{actions:?}");
}
