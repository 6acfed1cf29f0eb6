//! Paths of every kind, in every place where a path can stand.

use crate::support::{ADMIN, Room};
use serde_json::{Value, json};

#[tokio::test]
async fn legal_paths_live_everywhere() {
    let room = Room::new().await;
    let long = format!("/{}", "a".repeat(511));
    for path in ["/a", "/A/b_c-d.e+f/9", "/app/value", "/app/versions", "/app/policy", "/...", "/a/..b", &long] {
        room.secret(path).await;
        for url in [format!("/v1/secrets/nl-01/secret{path}"), format!("/v1/secrets/nl-01/secret?path={path}")] {
            let read = room.get(&url).await;
            assert_eq!((read.status, &read.json()["path"]), (200, &json!(path)), "{url}");
        }
        let revealed = room.admin(&format!("POST /v1/secrets/nl-01/secret{path}/value"), Value::Null).await;
        assert_eq!((revealed.status, &revealed.json()["secretString"]), (200, &json!("YQ==")), "{path}");
    }
}

#[tokio::test]
async fn plus_is_a_plus_however_it_is_written() {
    let room = Room::new().await;
    room.secret("/a+b").await;
    for url in ["/secret/a+b", "/secret/a%2Bb", "/secret?path=/a+b", "/secret?path=%2Fa%2Bb", "/secret?path=%2Fa+b"] {
        let read = room.get(&format!("/v1/secrets/nl-01{url}")).await;
        assert_eq!(read.status, 200, "{url}");
    }
    for url in ["/secrets?pathPrefix=/a+b", "/secrets?pathPrefix=/"] {
        assert_eq!(room.get(&format!("/v1/secrets/nl-01{url}")).await.status, 200, "{url}");
    }
}

#[tokio::test]
async fn illegal_paths_are_refused_in_urls() {
    let room = Room::new().await;
    let long = format!("/{}", "a".repeat(512));
    for (path, code) in [
        ("", "invalid_path"),
        ("/", "invalid_path"),
        ("//a", "invalid_path"),
        ("/a//b", "invalid_path"),
        ("/a/", "invalid_path"),
        ("/./a", "invalid_path"),
        ("/a/..", "invalid_path"),
        ("/%2e%2e/a", "invalid_path"),
        ("/a%20b", "invalid_path"),
        ("/a:b", "invalid_path"),
        ("/%C3%A4", "invalid_path"),
        ("/a%252Fb", "invalid_path"),
        (long.as_str(), "invalid_path"),
        ("/a%2Fb", "invalid_request"),
        ("/a%2fb", "invalid_request"),
        ("/a%00", "invalid_request"),
        ("/%ff", "invalid_request"),
        ("/a%zz", "invalid_request"),
    ] {
        for request in [
            format!("GET /v1/secrets/nl-01/secret{path}"),
            format!("PATCH /v1/secrets/nl-01/secret{path}"),
            format!("DELETE /v1/secrets/nl-01/secret{path}"),
            format!("POST /v1/secrets/nl-01/secret{path}/value"),
            format!("POST /v1/secrets/nl-01/secret{path}/versions"),
            format!("PUT /v1/secrets/nl-01/secret{path}/policy"),
            format!("DELETE /v1/secrets/nl-01/secret{path}/versions?version=1"),
        ] {
            // Even before credentials.
            let reply = room.raw(&request, &[], "").await;
            assert_eq!(reply.verdict(), (400, code.to_owned()), "{request}");
        }
    }
}

#[tokio::test]
async fn illegal_paths_are_refused_in_queries_and_bodies() {
    let room = Room::new().await;
    for (path, encoded) in [
        ("", ""),
        ("a", "a"),
        ("/", "/"),
        ("//a", "//a"),
        ("/a/", "/a/"),
        ("/a/../b", "/a/../b"),
        ("/a b", "/a%20b"),
        ("/ä", "/%C3%A4"),
        (" /a", "%20/a"),
        ("/a\n", "/a%0A"),
    ] {
        let reply = room.get(&format!("/v1/secrets/nl-01/secret?path={encoded}")).await;
        assert_eq!(reply.verdict(), (400, "invalid_path".to_owned()), "{path:?}");
        let body = json!({ "path": path, "kmsKeyIdentity": room.key, "secretString": "YQ==" });
        let reply = room.admin("POST /v1/secrets/nl-01/secrets", body).await;
        assert_eq!(reply.verdict(), (400, "invalid_path".to_owned()), "{path:?}");
    }
    let missing = "`path` is missing; give the secret's path, such as `/app/production/db/password`.";
    for (body, message) in [
        (json!({}), missing),
        (json!({ "path": null }), missing),
        (json!({ "path": 5 }), "`path` must be a string."),
        (json!([]), "The body must be an object."),
    ] {
        let reply = room.admin("POST /v1/secrets/nl-01/secrets", body).await;
        assert_eq!((reply.status, reply.message().as_str()), (400, message));
    }
    let doubled = room.raw("GET /v1/secrets/nl-01/secret?path=/a&path=/a", &[], "").await;
    assert_eq!(doubled.verdict(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn a_path_given_twice_must_be_the_same() {
    let room = Room::new().await;
    room.secret("/a").await;
    let value = |path: &str| json!({ "path": path, "secretString": "YQ==" });
    for (request, body, status) in [
        ("GET /v1/secrets/nl-01/secret/a?path=/a", Value::Null, 200),
        ("GET /v1/secrets/nl-01/secret/a?path=/b", Value::Null, 400),
        ("GET /v1/secrets/nl-01/secret/value?path=/a", Value::Null, 400),
        ("GET /v1/secrets/nl-01/secret/?path=/a", Value::Null, 400),
        ("POST /v1/secrets/nl-01/secret/value?path=/a", Value::Null, 200),
        ("POST /v1/secrets/nl-01/secret/value?path=/a", json!({ "path": "/a" }), 200),
        ("POST /v1/secrets/nl-01/secret/value?path=/a", json!({ "path": "/b" }), 400),
        ("POST /v1/secrets/nl-01/secret/value", json!({ "path": "/a" }), 400),
        ("POST /v1/secrets/nl-01/secret/a/value", json!({ "path": "/b" }), 400),
        ("POST /v1/secrets/nl-01/secret/a/value", json!({ "path": null }), 200),
        ("POST /v1/secrets/nl-01/secret/a/versions", value("/a"), 201),
        ("POST /v1/secrets/nl-01/secret/a/versions", value("/b"), 400),
        ("POST /v1/secrets/nl-01/secret/versions?path=/a", value("/a"), 201),
        ("PUT /v1/secrets/nl-01/secret/policy?path=/a", json!({ "accessPolicy": null }), 200),
        ("PUT /v1/secrets/nl-01/secret/policy?path=/b", json!({ "accessPolicy": null }), 404),
        ("DELETE /v1/secrets/nl-01/secret/versions?path=/a&version=2", Value::Null, 204),
        ("DELETE /v1/secrets/nl-01/secret/versions?path=/a", Value::Null, 400),
        ("DELETE /v1/secrets/nl-01/secret/a?version=1", Value::Null, 400),
        ("DELETE /v1/secrets/nl-01/secret?path=/a", Value::Null, 204),
    ] {
        let reply = room.call(ADMIN, request, body).await;
        assert_eq!(reply.status, status, "{request}: {}", reply.message());
    }
    let body = json!({ "path": "/x", "kmsKeyIdentity": room.key, "secretString": "" });
    assert_eq!(room.admin("POST /v1/secrets/nl-01/secrets?path=/y", body.clone()).await.status, 400);
    assert_eq!(room.admin("POST /v1/secrets/nl-01/secrets?path=/x", body).await.status, 201);
}

#[tokio::test]
async fn secrets_may_be_called_like_sub_resources() {
    let room = Room::new().await;
    for path in ["/app", "/app/value", "/app/versions", "/app/policy"] {
        room.secret(path).await;
    }
    let put = json!({ "secretString": "Yg==" });
    let put = room.admin("POST /v1/secrets/nl-01/secret/app/value/versions", put).await;
    assert_eq!((put.status, put.json()), (201, json!({ "path": "/app/value", "version": 2 })));
    let revealed = room.admin("POST /v1/secrets/nl-01/secret/app/value/value", Value::Null).await;
    assert_eq!((&revealed.json()["path"], &revealed.json()["secretString"]), (&json!("/app/value"), &json!("Yg==")));
    let policy =
        json!({ "accessPolicy": { "conditions": [{ "type": "ip", "effect": "deny", "cidrs": ["203.0.113.0/24"] }] } });
    let set = room.admin("PUT /v1/secrets/nl-01/secret/app/policy/policy", policy.clone()).await;
    assert_eq!((&set.json()["path"], &set.json()["accessPolicy"]), (&json!("/app/policy"), &policy["accessPolicy"]));
    let destroyed = room.admin("DELETE /v1/secrets/nl-01/secret/app/versions/versions?version=1", Value::Null).await;
    assert_eq!(destroyed.status, 204);
    assert_eq!(room.get("/v1/secrets/nl-01/secret/app/versions").await.json()["currentVersion"], 0);
    // Without a version it is the secret of that name, and only that.
    assert_eq!(room.admin("DELETE /v1/secrets/nl-01/secret/app/versions", Value::Null).await.status, 204);
    for (path, status) in [("/app", 200), ("/app/versions", 404), ("/app/value", 200), ("/app/policy", 200)] {
        assert_eq!(room.get(&format!("/v1/secrets/nl-01/secret{path}")).await.status, status, "{path}");
    }
    assert_eq!(room.get("/v1/secrets/nl-01/secret/app").await.json()["currentVersion"], 1);
}
