//! Secrets whose last segment is also the name of a sub-resource, and the form of address with `?path=`.

use crate::{Stage, Table};
use serde_json::{Value, json};
use strongroom_tests::{Client, base64};

const NAMES: [&str; 3] = ["/value", "/versions", "/policy"];

/// `/app`, `/app/value`, `/value` and so on, each with its path as the value.
fn stage() -> Stage {
    let stage = Stage::new();
    for directory in ["", "/app"] {
        for name in NAMES {
            let path = format!("{directory}{name}");
            let _ = stage.client.create(&path, &path).ok(201);
        }
    }
    let _ = stage.client.create("/app", "/app").ok(201);
    stage
}

fn version(client: &Client, path: &str) -> Value {
    client.describe(path).ok(200)["currentVersion"].clone()
}

#[test]
fn by_method_and_last_segment() {
    let stage = stage();
    let client = &stage.client;
    let mut table = Table::default();
    for path in ["/app/value", "/app/versions", "/app/policy", "/value", "/versions", "/policy"] {
        table.row(path, || {
            assert_eq!(client.describe(path).ok(200)["path"], path, "GET never strips");
            assert_eq!(client.reveal(path, None).ok(200)["secretString"], base64(path), "POST strips once");
            assert_eq!(client.put_value(path, path).ok(201), json!({"path": path, "version": 2}));
            let set = json!({"accessPolicy": {"statements": [{"effect": "Deny", "actions": ["put"]}]}});
            assert_eq!(
                client.put(format!("{}/policy", client.secret(path)), &set).ok(200)["path"],
                path,
                "PUT strips once"
            );
            let _ = client.put_value(path, "no").error(403, "access_policy_denied");
            client.destroy(path, 1).empty();
            let _ = client.reveal(path, Some(1)).error(404, "version_destroyed");
            let patch = client.request("PATCH", client.secret(path)).json(&json!({"description": "d"})).send().ok(200);
            assert_eq!((&patch["path"], &patch["description"]), (&json!(path), &json!("d")), "PATCH never strips");
        });
    }
    table.row("/app itself was not meant", || {
        let app = client.describe("/app").ok(200);
        assert_eq!((&app["objectVersion"], app.get("accessPolicy")), (&json!(1), None));
    });
    table.row("the same addresses, read as sub-resources of /app", || {
        let revealed = client.post_empty(client.secret("/app/value")).ok(200);
        assert_eq!((&revealed["path"], &revealed["secretString"]), (&json!("/app"), &json!(base64("/app"))));
        let put = client.post(client.secret("/app/versions"), &json!({"secretString": base64("2")})).ok(201);
        assert_eq!(put, json!({"path": "/app", "version": 2}));
        let set = client.put(client.secret("/app/policy"), &json!({"accessPolicy": {}})).ok(200);
        assert_eq!(set["path"], "/app");
        client.delete(format!("{}?version=1", client.secret("/app/versions"))).empty();
        let _ = client.reveal("/app", Some(1)).error(404, "version_destroyed");
    });
    table.finish();
}

#[test]
fn deleting() {
    let stage = stage();
    let client = &stage.client;
    let mut table = Table::default();
    for query in ["version=", "version=x", "version=0", "version", "version=1x"] {
        table.row(query, || {
            let _ = client.delete(format!("{}?{query}", client.secret("/app/versions"))).refused(400);
        });
    }
    table.row("a version where no version is meant", || {
        // Deleting everything would be the worst reading of it.
        let _ = client.delete(format!("{}?version=1", client.secret("/app"))).refused(400);
        let _ = client.delete(format!("{}?version=1", client.secret("/app/value"))).refused(400);
    });
    table.row("nothing was deleted", || {
        for path in ["/app", "/app/versions", "/app/value"] {
            let secret = client.describe(path).ok(200);
            assert_eq!((&secret["currentVersion"], &secret["objectVersion"]), (&json!(1), &json!(1)), "{path}");
        }
    });
    table.row("without a version it is the secret of that name", || {
        client.delete(client.secret("/app/versions")).empty();
        let _ = client.describe("/app/versions").error(404, "secret_not_found");
        assert_eq!(version(client, "/app"), 1);
        let _ = client.delete(client.secret("/app/versions")).error(404, "secret_not_found");
        assert_eq!(version(client, "/app"), 1);
    });
    table.row("and with one it is the version, also when such a secret is there", || {
        let _ = client.create("/app/versions", "again").ok(201);
        client.delete(format!("{}?version=1", client.secret("/app/versions"))).empty();
        assert_eq!((version(client, "/app"), version(client, "/app/versions")), (json!(0), json!(1)));
        client.delete(format!("{}?version=1", client.secret("/app/versions/versions"))).empty();
        assert_eq!(version(client, "/app/versions"), 0);
    });
    table.finish();
}

#[test]
fn the_path_as_a_parameter() {
    let stage = stage();
    let client = &stage.client;
    let mut table = Table::default();
    for path in ["/app", "/app/value", "/app/versions", "/app/policy", "/value", "/versions", "/policy"] {
        table.row(path, || {
            let at = |resource: &str| format!("{}?path={}", client.secret(resource), path.replace('/', "%2F"));
            assert_eq!(client.get(at("")).ok(200)["path"], path);
            assert_eq!(client.post_empty(at("/value")).ok(200)["secretString"], base64(path));
            assert_eq!(client.post(at("/value"), &json!({"version": 1})).ok(200)["version"], 1);
            let put = client.post(at("/versions"), &json!({"secretString": base64("2")})).ok(201);
            assert_eq!(put, json!({"path": path, "version": 2}));
            assert_eq!(client.put(at("/policy"), &json!({"accessPolicy": null})).ok(200)["path"], path);
            client.delete(at("/versions") + "&version=1").empty();
            assert_eq!(client.request("PATCH", at("")).json(&json!({"description": "d"})).send().ok(200)["path"], path);
            let shown = client.get(at("") + "&includeVersions=true").ok(200);
            assert_eq!(shown["versions"].as_array().map(Vec::len), Some(2));
            client.delete(at("")).empty();
            let _ = client.describe(path).error(404, "secret_not_found");
        });
    }
    table.finish();
}

/// The path of a request may stand in more than one place; then it must be the same in all.
#[test]
fn the_path_twice() {
    let stage = stage();
    let client = &stage.client;
    let put = json!({"secretString": base64("no")});
    let with_path = |path: &str| json!({"secretString": base64("no"), "path": path});
    let policy = json!({"accessPolicy": {"statements": [{"effect": "Deny"}]}});
    let mut table = Table::default();
    let different: [(&str, String, Option<Value>); 16] = [
        ("GET", client.secret("/app?path=/value"), None),
        ("GET", client.secret("/value?path=/app"), None),
        ("GET", client.secret("?path=/app&path=/value"), None),
        ("DELETE", client.secret("/app?path=/value"), None),
        ("DELETE", client.secret("/versions?path=/app"), None),
        ("DELETE", client.secret("?path=/app&path=/value"), None),
        ("DELETE", client.secret("/app/versions?path=/value&version=1"), None),
        ("PATCH", client.secret("/app?path=/value"), Some(json!({"description": "d"}))),
        ("POST", client.secret("/app/value?path=/value"), None),
        ("POST", client.secret("/app/value"), Some(json!({"path": "/value"}))),
        ("POST", client.secret("/value?path=/app"), Some(json!({"path": "/value"}))),
        ("POST", client.secret("/app/versions?path=/value"), Some(put.clone())),
        ("POST", client.secret("/app/versions"), Some(with_path("/value"))),
        ("POST", client.secret("/versions?path=/app"), Some(with_path("/app/value"))),
        ("PUT", client.secret("/app/policy?path=/value"), Some(policy.clone())),
        ("PUT", client.secret("/policy?path=/app&path=/value"), Some(policy)),
    ];
    for (method, target, body) in &different {
        table.row(format!("{method} {target} {body:?}"), || {
            let request = client.request(method, target);
            let answer = body.as_ref().map_or_else(|| request.send(), |body| request.clone().json(body).send());
            let (message, _) = answer.refused(400);
            assert!(message.contains("path"), "{message}");
        });
    }
    table.row("nothing happened", || {
        for path in ["/app", "/app/value", "/value"] {
            assert_eq!(client.describe(path).ok(200)["objectVersion"], 1, "{path}");
        }
    });
    table.row("the same twice is fine", || {
        let _ = client.get(client.secret("/app?path=%2Fapp")).ok(200);
        let _ = client.post(client.secret("/app/value?path=/app"), &json!({"path": "/app"})).ok(200);
        assert_eq!(client.post(client.secret("/versions?path=/app"), &with_path("/app")).ok(201)["version"], 2);
    });
    table.row("none at all", || {
        for (method, resource) in
            [("GET", ""), ("DELETE", ""), ("POST", "/value"), ("POST", "/versions"), ("PUT", "/policy")]
        {
            let _ = client.request(method, client.secret(resource)).json(&put).send().refused(400);
        }
    });
    table.finish();
}
