//! Values of many secrets at once, and values that a caller has already.

use crate::{Served, Stage, Table, has_members, records, text};
use core::time::Duration;
use serde_json::{Value, json};
use strongroom_domain::audit::AuditRecord;
use strongroom_tests::{Client, base64, wait_for};

fn address(client: &Client) -> String {
    format!("/v1/secrets/{}/values", client.region)
}

#[track_caller]
fn reveal(client: &Client, body: &Value) -> Vec<Value> {
    let answer = client.post(address(client), body).expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
    answer.json()["items"].as_array().expect("a list").clone()
}

/// Path, status, and the code or the value.
fn told(items: &[Value]) -> Vec<(String, String, String)> {
    let last = |item: &Value| item["code"].as_str().or(item["secretString"].as_str()).unwrap_or_default().to_owned();
    items.iter().map(|item| (text(item, "path"), text(item, "status"), last(item))).collect()
}

fn line(path: &str, status: &str, last: impl Into<String>) -> (String, String, String) {
    (path.to_owned(), status.to_owned(), last.into())
}

/// A caller with these rules.
fn caller(client: &Client, rules: &[Value]) -> Client {
    let user = client.post("/v1/users", &json!({"name": "limited"})).ok(201);
    let role = client.post("/v1/iam/roles", &json!({"name": "limited"})).ok(201);
    let role = format!("/v1/iam/roles/{}", text(&role, "identity"));
    for rule in rules {
        let _ = client.post(format!("{role}/rules"), rule).ok(201);
    }
    let binding = json!({"name": "limited", "userIdentity": text(&user, "subject")});
    let _ = client.post(format!("{role}/bindings"), &binding).ok(201);
    let tokens = format!("/v1/users/{}/personal-access-tokens", text(&user, "subject"));
    let token = client.post(tokens, &json!({"name": "limited"})).ok(201);
    Client { token: Some(text(&token, "token")), ..client.clone() }
}

/// The records of reveals, sorted, once there are so many.
fn reveals(stage: &Stage, count: usize) -> Vec<(String, String, u16)> {
    let seen = |record: &AuditRecord| {
        let resource = record.resource.as_ref().map(|resource| resource.identity.clone()).unwrap_or_default();
        (record.action.as_str().to_owned(), resource, record.status)
    };
    let wanted = |record: &&AuditRecord| matches!(record.action.as_str(), "secret.value.read" | "kms.decrypt");
    let found = wait_for(Duration::from_secs(10), || {
        let all = records(&stage.data());
        let found: Vec<_> = all.iter().filter(wanted).map(seen).collect();
        (found.len() >= count).then_some(found)
    });
    let mut found = found.expect("the records");
    found.sort();
    found
}

#[test]
fn each_path_for_itself() {
    let stage = Stage::new();
    let client = &stage.client;
    for path in ["/app/a", "/app/b", "/app/gone", "/app/locked", "/app/policy", "/ops/root"] {
        let _ = client.create(path, path).ok(201);
    }
    client.destroy("/app/gone", 1).empty();
    let key = text(&client.post(client.keys(), &json!({"name": "locked"})).ok(201), "identity");
    let locked = json!({"path": "/app/disabled", "kmsKeyIdentity": key, "secretString": ""});
    let _ = client.post(client.secrets(), &locked).ok(201);
    let _ = client.post_empty(format!("{}/disable", client.key(&key))).ok(200);
    let policy = json!({"accessPolicy": {"denied": [{"type": "ip", "ips": ["127.0.0.0/8"]}]}});
    let _ = client.put(format!("{}/policy", client.secret("/app/policy")), &policy).ok(200);
    let limited = caller(
        client,
        &[
            json!({"resources": ["secret"], "resourceIdentities": ["/app/*"], "permissions": ["getSecretValue"]}),
            json!({"resources": ["kms_key"], "permissions": ["decrypt"]}),
        ],
    );
    let paths =
        ["/app/b", "/ops/root", "/app/gone", "/app/disabled", "/app/policy", "/app/none", "/ops/none", "/app/a"];
    let items = reveal(&limited, &json!({"paths": paths}));
    assert_eq!(
        told(&items),
        [
            line("/app/b", "ok", base64("/app/b")),
            line("/ops/root", "denied", "forbidden"),
            line("/app/gone", "missing", "no_active_version"),
            line("/app/disabled", "failed", "kms_key_unusable"),
            line("/app/policy", "denied", "access_policy_denied"),
            line("/app/none", "missing", "secret_not_found"),
            line("/ops/none", "denied", "forbidden"),
            line("/app/a", "ok", base64("/app/a")),
        ]
    );
    has_members(&items[0], &["path", "status", "version", "etag", "secretString", "kmsKeyIdentity", "kmsKeyVersion"]);
    has_members(&items[1], &["path", "status", "code", "message"]);
    assert_eq!(items[1]["message"], items[6]["message"], "a denied path tells nothing of what is there");
    let alone = limited.reveal("/app/b", None).expect(200);
    let tag = format!("\"{}\"", text(&items[0], "etag"));
    assert_eq!(alone.header("etag"), Some(tag.as_str()));
}

#[test]
fn what_is_known() {
    let stage = Stage::new();
    let client = &stage.client;
    for path in ["/app/a", "/app/b", "/app/c"] {
        let _ = client.create(path, "one").ok(201);
    }
    let _ = client.put_value("/app/b", "two").ok(201);
    let all = json!(["/app/a", "/app/b", "/app/c"]);
    let first = reveal(client, &json!({"paths": all}));
    let etags: Vec<_> = first.iter().map(|item| text(item, "etag")).collect();
    let known = json!({"/app/a": etags[0], "/app/b": 2, "/app/c": 2, "/app/none": 1});
    let items = reveal(client, &json!({"paths": all, "known": known}));
    let one = base64("one");
    let expected =
        [line("/app/a", "unchanged", ""), line("/app/b", "unchanged", ""), line("/app/c", "ok", one.as_str())];
    assert_eq!(told(&items), expected);
    has_members(&items[0], &["path", "status", "version", "etag"]);
    assert_eq!((&items[1]["version"], &items[1]["etag"]), (&json!(2), &json!(etags[1])));
    // Of the first call two for each value; of the second one each for what is known, and two for what isn't.
    let decrypt = ("kms.decrypt".to_owned(), client.kms_key.clone(), 200);
    let read = |path: &str, status| ("secret.value.read".to_owned(), path.to_owned(), status);
    let mut expected = vec![decrypt; 4];
    for (path, status) in [("/app/a", 304), ("/app/b", 304), ("/app/c", 200)] {
        expected.extend([read(path, 200), read(path, status)]);
    }
    assert_eq!(reveals(&stage, 10), expected);

    // Made anew at its path, its first version is another value.
    client.delete(client.secret("/app/a")).empty();
    let _ = client.create("/app/a", "anew").ok(201);
    let known = json!({"/app/a": etags[0]});
    let items = reveal(client, &json!({"paths": ["/app/a"], "known": known}));
    assert_eq!(told(&items), [line("/app/a", "ok", base64("anew"))]);
    assert_eq!(items[0]["version"], 1);
    let items = reveal(client, &json!({"paths": ["/app/a"], "known": {"/app/a": 1}}));
    assert_eq!(told(&items), [line("/app/a", "unchanged", "")], "a number is compared alone");

    let unless = |tag: &str| {
        let target = format!("{}/value", client.secret("/app/b"));
        client.request("POST", target).header("If-None-Match", tag).send()
    };
    let tag = format!("\"{}\"", etags[1]);
    let unchanged = unless(&tag);
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0), "{unchanged:?}");
    assert_eq!(unchanged.header("etag"), Some(tag.as_str()));
    assert_eq!(unchanged.header("cache-control"), Some("no-store"));
    let _ = client.put_value("/app/b", "three").ok(201);
    assert_eq!(unless(&tag).ok(200)["version"], 3);
    let _ = unless("*").error(400, "invalid_request");
}

#[test]
fn bad_input() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/a", "one").ok(201);
    let many: Vec<_> = (0..101).map(|number| format!("/s{number}")).collect();
    let mut table = Table::default();
    for (body, code, named) in [
        (json!({}), "invalid_request", "paths"),
        (json!({"paths": []}), "invalid_request", "paths"),
        (json!({"paths": many}), "invalid_request", "paths"),
        (json!({"paths": ["/app/a"], "pathPrefix": "/app/"}), "invalid_request", "pathPrefix"),
        (json!({"paths": ["/app/a", "/app/a"]}), "invalid_request", "/app/a"),
        (json!({"paths": ["/app/a", "/app/"]}), "invalid_path", "paths[1]"),
        (json!({"paths": ["/app/a", "/app//b"]}), "invalid_path", "paths[1]"),
        (json!({"paths": ["/app/a", "/app/é"]}), "invalid_path", "paths[1]"),
        (json!({"paths": ["/app/a", 1]}), "invalid_request", "paths[1]"),
        (json!({"paths": {"/app/a": 1}}), "invalid_request", "paths"),
        (json!({"paths": ["/app/a"], "limit": 10}), "invalid_request", "limit"),
        (json!({"pathPrefix": ""}), "invalid_path", "pathPrefix"),
        (json!({"pathPrefix": "/app/", "limit": 101}), "invalid_request", "limit"),
        (json!({"pathPrefix": "/app/", "limit": -1}), "invalid_request", "limit"),
        (json!({"pathPrefix": "/app/", "cursor": "x"}), "invalid_request", "cursor"),
        (json!({"paths": ["/app/a"], "known": {"/app/a": true}}), "invalid_request", "known"),
        (json!({"paths": ["/app/a"], "known": {"/app/a": 0}}), "invalid_request", "known"),
        (json!({"paths": ["/app/a"], "known": {"/app/a": 9_223_372_036_854_775_808_u64}}), "invalid_request", "known"),
        (json!({"paths": ["/app/a"], "known": "1"}), "invalid_request", "known"),
        (json!("paths"), "invalid_request", "object"),
    ] {
        table.row(body.to_string().get(..60).unwrap_or("short").to_owned(), || {
            let message = client.post(address(client), &body).error(400, code);
            assert!(message.contains(named), "it does not say what is wrong: {message}");
        });
    }
    table.row("a body of another type", || {
        let request = client.request("POST", address(client)).header("Content-Type", "text/plain").body("{}");
        let _ = request.send().error(415, "unsupported_media_type");
    });
    table.row("no body", || {
        let _ = client.post_empty(address(client)).error(400, "invalid_request");
    });
    for method in ["GET", "PUT", "DELETE"] {
        table.row(method, || {
            let _ = client.request(method, address(client)).send().error(405, "method_not_allowed");
        });
    }
    table.finish();
    assert!(!records(&stage.data()).iter().any(|record| record.action.as_str() == "kms.decrypt"));
    // A hundred are fine.
    assert_eq!(reveal(client, &json!({"paths": many[1..]})).len(), 100);
}

#[test]
fn below_a_directory() {
    let stage = Stage::new();
    let client = &stage.client;
    let paths: Vec<_> = (0..7).map(|number| format!("/app/deep/er/s{number}")).collect();
    for path in &paths {
        let _ = client.create(path, path).ok(201);
    }
    let _ = client.create("/apple", "").ok(201);
    let (mut found, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = client.post(address(client), &json!({"pathPrefix": "/app", "limit": 3, "cursor": cursor})).ok(200);
        let items = page["items"].as_array().expect("a list").clone();
        assert!(items.len() <= 3);
        found.extend(told(&items));
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    let expected: Vec<_> = paths.iter().map(|path| line(path, "ok", base64(path))).collect();
    assert_eq!(found, expected);

    let getter = json!({"resources": ["secret"], "permissions": ["getSecretValue", "read"]});
    let unlisted = caller(client, &[getter, json!({"resources": ["kms_key"], "permissions": ["decrypt"]})]);
    assert_eq!(reveal(&unlisted, &json!({"paths": ["/apple"]})).len(), 1);
    let _ = unlisted.post(address(client), &json!({"pathPrefix": "/app/"})).error(403, "forbidden");
}

#[test]
fn values_that_are_too_much_together() {
    const LEN: usize = 1024 * 1024;
    let served = Served::new("nl-01", "[limits]\nvalue_bytes = 1048576");
    let client = &served.client;
    let paths: Vec<_> = (0..18).map(|number| format!("/large/{number:02}")).collect();
    for path in &paths {
        let _ = client.create(path, vec![b'x'; LEN]).ok(201);
    }
    let items = reveal(client, &json!({"pathPrefix": "/large/"}));
    let (given, left): (Vec<_>, Vec<_>) = items.iter().partition(|item| item["status"] == "ok");
    assert_eq!(given.len(), 15);
    assert!(left.iter().all(|item| item["status"] == "failed" && item["code"] == "answer_too_large"), "{left:?}");
    let left: Vec<_> = left.iter().map(|item| text(item, "path")).collect();
    let again = reveal(client, &json!({"paths": left}));
    assert!(again.iter().all(|item| item["status"] == "ok"));
}
