//! The order of checks: with several things wrong at once, the first in the order answers.

use crate::support::{ADMIN, EVERYWHERE, NOBODY, READ_SCOPE, READER, Reply, Room};
use serde_json::{Value, json};

const PUT: &str = "POST /v1/secrets/nl-01/secret/a/versions";

async fn send(room: &Room, request: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    room.raw(request, headers, body.to_owned()).await.verdict()
}

fn verdict(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn each_check_comes_before_all_later_ones() {
    let room = Room::new().await;
    room.secret("/a").await;
    let text = [("content-type", "text/plain")];
    let with = |token: &'static str, more: &[(&'static str, &'static str)]| -> Vec<(&'static str, &'static str)> {
        [&[("authorization", token)], more, &text].concat()
    };
    // Each line mends what the line before was refused for.
    let url = "POST /v1/secrets/xx-01/secret/a//b/versions?project=p";
    assert_eq!(send(&room, url, &with("Bearer wrong", &[]), "{").await, verdict(400, "invalid_path"));
    let url = "POST /v1/secrets/xx-01/secret/a/versions?project=p";
    assert_eq!(
        send(&room, url, &with("Bearer wrong", &[("x-organisation-identity", "no")]), "{").await,
        verdict(401, "unauthenticated")
    );
    assert_eq!(
        send(&room, url, &with("Bearer read-scope", &[("x-organisation-identity", "no")]), "{").await,
        verdict(403, "insufficient_scope")
    );
    assert_eq!(
        send(&room, url, &with("Bearer nobody", &[("x-organisation-identity", "no")]), "{").await,
        verdict(403, "organisation_denied")
    );
    assert_eq!(send(&room, url, &with("Bearer everywhere", &[]), "{").await, verdict(400, "organisation_required"));
    assert_eq!(
        send(&room, url, &with("Bearer everywhere", &[("x-organisation-identity", "no-secrets")]), "{").await,
        verdict(403, "feature_disabled")
    );
    assert_eq!(send(&room, url, &with("Bearer nobody", &[]), "{").await, verdict(404, "region_not_found"));
    let url = "POST /v1/secrets/nl-01/secret/a/versions?project=p";
    assert_eq!(send(&room, url, &with("Bearer nobody", &[]), "{").await, verdict(404, "project_not_found"));
    assert_eq!(send(&room, PUT, &with("Bearer nobody", &[]), "{").await, verdict(403, "forbidden"));
    assert_eq!(send(&room, PUT, &with("Bearer admin", &[]), "{").await, verdict(415, "unsupported_media_type"));
    let none = "POST /v1/secrets/nl-01/secret/none/versions";
    assert_eq!(send(&room, none, &[("authorization", "Bearer admin")], "{").await, verdict(400, "invalid_request"));
    let value = r#"{"secretString":"YQ=="}"#;
    assert_eq!(send(&room, none, &[("authorization", "Bearer admin")], value).await, verdict(404, "secret_not_found"));
    assert_eq!(send(&room, PUT, &[("authorization", "Bearer admin")], value).await.0, 201);
}

#[tokio::test]
async fn a_create_is_decided_on_its_path_before_the_rest_is_looked_at() {
    let room = Room::new().await;
    let create = "POST /v1/secrets/nl-01/secrets";
    for body in [json!({ "path": "/a" }), json!({ "path": "/a", "secretString": 5, "kmsKeyIdentity": [] })] {
        assert_eq!(room.call(NOBODY, create, body.clone()).await.verdict(), verdict(403, "forbidden"));
        assert_eq!(room.call(ADMIN, create, body).await.verdict(), verdict(400, "invalid_request"));
    }
    assert_eq!(room.call(NOBODY, create, json!({ "path": "/a/" })).await.verdict(), verdict(400, "invalid_path"));
}

#[tokio::test]
async fn values_below_a_directory_are_decided_on_before_the_rest_is_looked_at() {
    let room = Room::new().await;
    let values = "POST /v1/secrets/nl-01/values";
    for wrong in [
        json!({ "limit": 0 }),
        json!({ "limit": "5" }),
        json!({ "cursor": "!" }),
        json!({ "cursor": 5 }),
        json!({ "known": { "/a": 0 } }),
        json!({ "known": [] }),
    ] {
        let mut body = wrong;
        body["pathPrefix"] = json!("/");
        let before = room.records_after(0).await.len();
        assert_eq!(room.call(NOBODY, values, body.clone()).await.verdict(), verdict(403, "forbidden"), "{body}");
        assert_eq!(room.call(ADMIN, values, body.clone()).await.verdict(), verdict(400, "invalid_request"), "{body}");
        let records = room.records_after(before).await;
        let told: Vec<_> = records.iter().map(|it| (it.action.as_str(), it.status)).collect();
        assert_eq!(told, [("secret.list", 403), ("secret.value.read", 400)], "{body}");
    }
    // Without a directory there is nothing to decide on.
    for (body, code) in [
        (json!({ "pathPrefix": "app" }), "invalid_path"),
        (json!({ "pathPrefix": 5 }), "invalid_request"),
        (json!({ "pathPrefix": "/", "paths": ["/a"] }), "invalid_request"),
    ] {
        assert_eq!(room.call(NOBODY, values, body.clone()).await.verdict(), verdict(400, code), "{body}");
    }
}

#[tokio::test]
async fn a_patch_that_no_secret_could_take_is_refused_before_the_secret_is_looked_for() {
    let room = Room::new().await;
    room.secret("/a").await;
    let entries = |count: usize| (0..count).map(|n| (format!("k{n}"), json!("v"))).collect::<serde_json::Map<_, _>>();
    for (body, named) in [
        (json!({ "labels": { "a b": "v" } }), "`labels.a b`"),
        (json!({ "annotations": { "k".repeat(318): "v" } }), "`annotations`"),
        (json!({ "labels": { "a": "v".repeat(256) } }), "`labels.a`"),
        (json!({ "labels": { "a": "x\ny" } }), "`labels.a`"),
        (json!({ "labels": entries(65) }), "`labels`"),
        (json!({ "annotations": { "a": "v".repeat(16 * 1024 + 1) } }), "`annotations`"),
        (json!({ "description": "x".repeat(1025) }), "`description`"),
    ] {
        for path in ["a", "missing"] {
            let reply = room.admin(&format!("PATCH /v1/secrets/nl-01/secret/{path}"), body.clone()).await;
            assert_eq!(reply.verdict(), verdict(400, "invalid_request"), "{path} {named}");
            assert!(reply.message().contains(named), "{path}: {}", reply.message());
        }
    }
    // What only breaks a rule together with what is there waits for the secret.
    let patch = |path: &str| format!("PATCH /v1/secrets/nl-01/secret/{path}");
    assert_eq!(room.admin(&patch("a"), json!({ "labels": entries(64) })).await.status, 200);
    let more = json!({ "labels": { "more": "v" } });
    assert_eq!(room.admin(&patch("a"), more.clone()).await.verdict(), verdict(400, "invalid_request"));
    assert_eq!(room.admin(&patch("missing"), more).await.verdict(), verdict(404, "secret_not_found"));
}

#[tokio::test]
async fn a_denied_path_tells_nothing_of_what_is_there() {
    let room = Room::new().await;
    room.secret("/a").await;
    for (method, suffix) in
        [("GET", ""), ("POST", "/value"), ("POST", "/versions"), ("PUT", "/policy"), ("PATCH", ""), ("DELETE", "")]
    {
        let there = room.call(READER, &format!("{method} /v1/secrets/nl-01/secret/a{suffix}"), Value::Null).await;
        let missing = room.call(READER, &format!("{method} /v1/secrets/nl-01/secret/none{suffix}"), Value::Null).await;
        let plain = |reply: &Reply| (reply.status, reply.code(), reply.message());
        assert_eq!(plain(&there), plain(&missing), "{method} {suffix}");
        assert_eq!(there.status, 403, "{method} {suffix}");
    }
}

#[tokio::test]
async fn every_scheme_of_credentials() {
    let room = Room::new().await;
    for (value, status) in [
        ("Bearer admin", 200),
        ("bearer admin", 200),
        ("Token admin", 200),
        ("TOKEN admin", 200),
        // key:admin
        ("Basic a2V5OmFkbWlu", 200),
        // other:admin
        ("Basic b3RoZXI6YWRtaW4=", 401),
        ("Bearer", 401),
        ("admin", 401),
        ("Digest admin", 401),
        ("Bearer admin admin", 401),
    ] {
        let reply = room.raw("GET /v1/regions", &[("authorization", value)], "").await;
        assert_eq!(reply.status, status, "{value}");
        if status == 401 {
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
    }
    let twice =
        room.raw("GET /v1/regions", &[("authorization", "Bearer admin"), ("authorization", "Bearer admin")], "").await;
    assert_eq!(twice.verdict(), verdict(401, "unauthenticated"));
}

#[tokio::test]
async fn scopes_of_credentials_follow_what_a_call_does() {
    let room = Room::new().await;
    room.secret("/a").await;
    let key = format!("/v1/kms/nl-01/keys/{}", room.key);
    let signing = room.key_of("ed25519").await;
    let hmac = room.key_of("hmac").await;
    let plaintext = json!({ "plaintext": "YQ==" });
    let ciphertext = room.admin(&format!("POST {key}/encrypt"), plaintext.clone()).await.json()["ciphertext"].clone();
    for (request, body, status) in [
        ("GET /v1/secrets/nl-01/secret/a".to_owned(), Value::Null, 200),
        ("POST /v1/secrets/nl-01/secret/a/value".to_owned(), Value::Null, 200),
        (format!("POST {key}/decrypt"), json!({ "ciphertext": ciphertext }), 200),
        (format!("POST {signing}/verify"), json!({ "input": "", "signature": "" }), 200),
        (format!("GET {signing}/public-key"), Value::Null, 200),
        (format!("POST {hmac}/verify-hmac"), json!({ "input": "", "hmac": "" }), 200),
        (format!("GET {key}/inventory"), Value::Null, 200),
        (format!("POST {key}/encrypt"), plaintext, 403),
        (format!("POST {signing}/sign"), json!({ "input": "" }), 403),
        (format!("POST {hmac}/hmac"), json!({ "input": "" }), 403),
        (format!("POST {hmac}/export"), Value::Null, 403),
        (format!("POST {key}/rotate"), Value::Null, 403),
        (format!("PATCH {key}/rotation"), json!({}), 403),
        (format!("POST {key}/rewrap"), Value::Null, 403),
        (format!("POST {key}/retire"), Value::Null, 403),
        (format!("DELETE {key}"), Value::Null, 403),
        (format!("DELETE {key}/cancel-deletion"), Value::Null, 403),
        ("PATCH /v1/secrets/nl-01/secret/a".to_owned(), json!({}), 403),
        ("DELETE /v1/secrets/nl-01/secret/a".to_owned(), Value::Null, 403),
    ] {
        assert_eq!(room.call(READ_SCOPE, &request, body).await.status, status, "{request}");
    }
}

#[tokio::test]
async fn organisations_projects_and_gates() {
    let room = Room::new().await;
    let list = "GET /v1/secrets/nl-01/secrets?path=/";
    let dev = room.raw(list, &[("authorization", "Bearer everywhere"), ("x-organisation-identity", "dev")], "").await;
    assert_eq!(dev.status, 200);
    for (token, organisation, expected) in [
        ("Bearer admin", "", verdict(200, "")),
        ("Bearer admin", "dev", verdict(200, "")),
        ("Bearer admin", "foreign", verdict(403, "organisation_denied")),
        ("Bearer admin", "nothing", verdict(403, "organisation_denied")),
        ("Bearer everywhere", "", verdict(400, "organisation_required")),
        ("Bearer everywhere", "no-kms", verdict(403, "feature_disabled")),
    ] {
        let headers = [("authorization", token), ("x-organisation-identity", organisation)];
        assert_eq!(send(&room, list, &headers, "").await, expected, "{token} {organisation}");
    }
    let no_kms = [("authorization", "Bearer everywhere"), ("x-organisation-identity", "no-kms")];
    let refused = room.raw("GET /v1/kms/nl-01/keys", &no_kms, "").await;
    assert!(refused.message().starts_with("KMS must be enabled first"), "{}", refused.message());
    let summary = room.raw("GET /v1/kms/summary", &no_kms, "").await;
    assert_eq!((summary.status, &summary.json()["featureEnabled"]), (200, &json!(false)));
    let project = |value: &'static str| [("authorization", "Bearer admin"), ("x-project-identity", value)];
    assert_eq!(send(&room, list, &project("p"), "").await, verdict(404, "project_not_found"));
    assert_eq!(send(&room, list, &project(""), "").await.0, 200);
    assert_eq!(send(&room, &format!("{list}&project=p"), &project(""), "").await, verdict(404, "project_not_found"));
    assert_eq!(send(&room, &format!("{list}&project="), &project(""), "").await.0, 200);
    // Regions know no projects.
    assert_eq!(send(&room, "GET /v1/regions", &project("p"), "").await.0, 200);
    let doubled =
        [("authorization", "Bearer admin"), ("x-organisation-identity", "dev"), ("x-organisation-identity", "dev")];
    assert_eq!(send(&room, list, &doubled, "").await, verdict(400, "invalid_request"));
    assert_eq!(send(&room, list, &doubled[1..], "").await, verdict(401, "unauthenticated"), "credentials come first");
    assert_eq!(room.call(EVERYWHERE, "GET /healthz", Value::Null).await.status, 200);
}

#[tokio::test]
async fn regions_without_a_kms_keep_metadata_usable() {
    let room = Room::new().await;
    for region in ["de-01", "fr-01"] {
        let body = json!({ "path": "/a", "kmsKeyIdentity": room.key, "secretString": "" });
        let reply = room.admin(&format!("POST /v1/secrets/{region}/secrets"), body).await;
        assert!(matches!(reply.status, 404 | 503), "{region}: {}", reply.message());
        assert_eq!(room.get(&format!("/v1/secrets/{region}/secrets?path=/")).await.status, 200);
        assert_eq!(room.get(&format!("/v1/secrets/{region}/secret/a")).await.status, 404);
        let keys = room.get(&format!("/v1/kms/{region}/keys")).await;
        assert_eq!((keys.verdict(), keys.header("retry-after")), (verdict(503, "kms_not_configured"), "1"));
    }
}
