//! Conditions and idempotency of what stores a value.

use crate::support::{Reply, Room};
use serde_json::{Value, json};

const PUT: &str = "POST /v1/secrets/nl-01/secret/a/versions";

async fn send(room: &Room, request: &str, headers: &[(&str, &str)], body: Value) -> Reply {
    let headers = [&[("authorization", "Bearer admin")], headers].concat();
    room.raw(request, &headers, body.to_string()).await
}

#[tokio::test]
async fn check_and_set_in_both_forms() {
    let room = Room::new().await;
    room.secret("/a").await;
    let put = |expected: Value| json!({ "secretString": "YQ==", "expectedVersion": expected });
    for (headers, expected, status) in [
        (&[][..], json!(2), 412),
        (&[], json!(0), 412),
        (&[("if-match", "\"2\"")], Value::Null, 412),
        (&[("if-match", "\"1\"")], json!(2), 400),
        (&[("if-match", "*")], Value::Null, 400),
        (&[("if-match", "1")], Value::Null, 400),
        (&[("if-match", "")], Value::Null, 400),
        (&[], json!(-1), 400),
        (&[], json!("1"), 400),
        (&[], json!(1), 201),
        (&[("if-match", "\"2\"")], json!(2), 201),
        (&[("if-match", "\"3\"")], Value::Null, 201),
    ] {
        let reply = send(&room, PUT, headers, put(expected.clone())).await;
        assert_eq!(reply.status, status, "{headers:?} {expected}: {}", reply.message());
    }
    for number in 1..=4 {
        let request = format!("DELETE /v1/secrets/nl-01/secret/a/versions?version={number}");
        assert_eq!(room.admin(&request, Value::Null).await.status, 204);
    }
    assert_eq!(send(&room, PUT, &[("if-match", "\"0\"")], put(Value::Null)).await.status, 201);
}

#[tokio::test]
async fn a_deletion_may_be_of_what_was_seen_only() {
    const SECRET: &str = "DELETE /v1/secrets/nl-01/secret/a";
    let room = Room::new().await;
    room.secret("/a").await;
    assert_eq!(room.admin(PUT, json!({ "secretString": "YQ==" })).await.status, 201);
    for (condition, verdict) in [
        ("\"1\"", (412, "version_mismatch")),
        ("\"0\"", (412, "version_mismatch")),
        ("*", (400, "invalid_request")),
        ("2", (400, "invalid_request")),
        ("", (400, "invalid_request")),
    ] {
        let before = room.records_after(0).await.len();
        let reply = room.raw(SECRET, &[("authorization", "Bearer admin"), ("if-match", condition)], "").await;
        assert_eq!(reply.verdict(), (verdict.0, verdict.1.to_owned()), "{condition}: {}", reply.message());
        let records = room.records_after(before).await;
        let told: Vec<_> = records.iter().map(|it| (it.action.as_str(), it.outcome.as_str(), it.status)).collect();
        assert_eq!(told, [("secret.delete", "failure", verdict.0)], "{condition}");
        assert_eq!(room.get("/v1/secrets/nl-01/secret/a").await.json()["currentVersion"], 2, "{condition}");
    }
    let twice = [("authorization", "Bearer admin"), ("if-match", "\"2\""), ("if-match", "\"2\"")];
    assert_eq!(room.raw(SECRET, &twice, "").await.status, 400);
    // Who may not delete hears nothing of what is there.
    let nobody = [("authorization", "Bearer nobody"), ("if-match", "\"1\"")];
    assert_eq!(room.raw(SECRET, &nobody, "").await.verdict(), (403, "forbidden".to_owned()));
    let fits = [("authorization", "Bearer admin"), ("if-match", "\"2\"")];
    assert_eq!(room.raw(SECRET, &fits, "").await.status, 204);
    assert_eq!(room.raw(SECRET, &fits, "").await.verdict(), (404, "secret_not_found".to_owned()));
}

#[tokio::test]
async fn a_condition_is_refused_where_none_is_taken() {
    let room = Room::new().await;
    room.secret("/a").await;
    assert_eq!(room.admin(PUT, json!({ "secretString": "YQ==" })).await.status, 201);
    for (request, body, action, status) in [
        ("DELETE /v1/secrets/nl-01/secret/a/versions?version=1", Value::Null, "secret.version.destroy", 204),
        ("PATCH /v1/secrets/nl-01/secret/a", json!({ "description": "d" }), "secret.metadata.update", 200),
        ("PUT /v1/secrets/nl-01/secret/a/policy", json!({ "accessPolicy": null }), "secret.policy.update", 200),
    ] {
        let before = room.get("/v1/secrets/nl-01/secret/a?includeVersions=true").await.json();
        // Neither one that would hold nor one that wouldn't, nor what is none.
        for condition in ["\"2\"", "\"1\"", "*", ""] {
            let seen = room.records_after(0).await.len();
            let reply = send(&room, request, &[("if-match", condition)], body.clone()).await;
            assert_eq!(reply.verdict(), (400, "invalid_request".to_owned()), "{request} {condition}");
            let message = reply.message();
            assert!(message.contains("no `If-Match`") && message.contains("deleting a secret"), "{message}");
            let records = room.records_after(seen).await;
            let told: Vec<_> = records.iter().map(|it| (it.action.as_str(), it.outcome.as_str(), it.status)).collect();
            assert_eq!(told, [(action, "failure", 400)], "{request} {condition}");
        }
        // Who may do nothing hears nothing of it.
        let nobody = [("authorization", "Bearer nobody"), ("if-match", "\"2\"")];
        assert_eq!(room.raw(request, &nobody, body.to_string()).await.verdict(), (403, "forbidden".to_owned()));
        assert_eq!(room.get("/v1/secrets/nl-01/secret/a?includeVersions=true").await.json(), before, "{request}");
        let done = send(&room, request, &[], body).await;
        assert_eq!(done.status, status, "{request}: {}", done.message());
    }
}

#[tokio::test]
async fn a_condition_is_refused_where_nothing_is_there_yet() {
    const CREATE: &str = "POST /v1/secrets/nl-01/secrets";
    let room = Room::new().await;
    let body = json!({ "path": "/a", "kmsKeyIdentity": room.key, "secretString": "YQ==" });
    for condition in ["\"0\"", "\"1\"", "*", ""] {
        let seen = room.records_after(0).await.len();
        let reply = send(&room, CREATE, &[("if-match", condition)], body.clone()).await;
        assert_eq!(reply.verdict(), (400, "invalid_request".to_owned()), "{condition}");
        let message = reply.message();
        assert!(message.contains("no `If-Match`") && message.contains("leave it out"), "{message}");
        let records = room.records_after(seen).await;
        let told: Vec<_> = records.iter().map(|it| (it.action.as_str(), it.outcome.as_str(), it.status)).collect();
        assert_eq!(told, [("secret.create", "failure", 400)], "{condition}");
    }
    let nobody = [("authorization", "Bearer nobody"), ("if-match", "\"0\"")];
    assert_eq!(room.raw(CREATE, &nobody, body.to_string()).await.verdict(), (403, "forbidden".to_owned()));
    assert_eq!(room.get("/v1/secrets/nl-01/secret/a").await.status, 404, "nothing was made");
    assert_eq!(send(&room, CREATE, &[], body).await.status, 201);
}

#[tokio::test]
async fn answers_tell_where_the_secret_is() {
    let room = Room::new().await;
    let body = json!({ "path": "/a+b/c", "kmsKeyIdentity": room.key, "secretString": "YQ==" });
    let region = room.get("/v1/regions/nl-01").await.json()["identity"].as_str().expect("an identity").to_owned();
    let created = send(&room, &format!("POST /v1/secrets/{region}/secrets"), &[], body).await;
    assert_eq!((created.status, created.header("location")), (201, "/v1/secrets/nl-01/secret/a+b/c"));
    assert_eq!(room.get(created.header("location")).await.json(), created.json());
    let put = send(&room, "POST /v1/secrets/nl-01/secret/a+b/c/versions", &[], json!({ "secretString": "" })).await;
    assert_eq!((put.status, put.header("location")), (201, "/v1/secrets/nl-01/secret/a+b/c"));
    assert_eq!(put.json(), json!({ "path": "/a+b/c", "version": 2 }));
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer() {
    let room = Room::new().await;
    let create = json!({ "path": "/a", "kmsKeyIdentity": room.key, "secretString": "YQ==" });
    let key = [("idempotency-key", "first try")];
    let first = send(&room, "POST /v1/secrets/nl-01/secrets", &key, create.clone()).await;
    let again = send(&room, "POST /v1/secrets/nl-01/secrets", &key, create.clone()).await;
    assert_eq!((first.status, again.status), (201, 201), "{}", again.message());
    assert_eq!((again.body, again.headers.get("location")), (first.body, first.headers.get("location")));
    let other = json!({ "path": "/a", "kmsKeyIdentity": room.key, "secretString": "Yg==" });
    let mismatch = send(&room, "POST /v1/secrets/nl-01/secrets", &key, other).await;
    assert_eq!(mismatch.verdict(), (422, "idempotency_mismatch".to_owned()));
    let without = send(&room, "POST /v1/secrets/nl-01/secrets", &[], create).await;
    assert_eq!(without.verdict(), (409, "secret_exists".to_owned()));

    let put = json!({ "secretString": "Yg==" });
    // The same key for another operation is another request; both addresses of one secret are the same.
    for request in [PUT, PUT, "POST /v1/secrets/nl-01/secret/versions?path=/a"] {
        let reply = send(&room, request, &key, put.clone()).await;
        assert_eq!((reply.status, &reply.json()["version"]), (201, &json!(2)), "{request}");
        assert_eq!(reply.header("content-type"), "application/json");
    }
    assert_eq!(send(&room, PUT, &[("idempotency-key", "second")], put.clone()).await.json()["version"], 3);
    let long = "k".repeat(256);
    for bad in ["", long.as_str(), "kéy"] {
        let reply = send(&room, PUT, &[("idempotency-key", bad)], put.clone()).await;
        assert_eq!(reply.verdict(), (400, "invalid_request".to_owned()), "{bad}");
    }
    let doubled = send(&room, PUT, &[("idempotency-key", "a"), ("idempotency-key", "a")], put).await;
    assert_eq!(doubled.status, 400);
}
