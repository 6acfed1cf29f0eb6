//! Values of many secrets in one answer, and values that a caller has already.

use crate::support::{ADMIN, NOBODY, READ_SCOPE, READER, Reply, Room};
use serde_json::{Value, json};

const VALUES: &str = "POST /v1/secrets/nl-01/values";

fn reveal(path: &str) -> String {
    format!("POST /v1/secrets/nl-01/secret{path}/value")
}

/// The members of each item that say what became of it: path, status, code.
fn told(reply: &Reply) -> Vec<(String, String, String)> {
    assert_eq!(reply.status, 200, "{}", reply.message());
    let text = |item: &Value, member: &str| item[member].as_str().unwrap_or_default().to_owned();
    let items = reply.json()["items"].as_array().expect("a list").clone();
    items.iter().map(|item| (text(item, "path"), text(item, "status"), text(item, "code"))).collect()
}

fn line(path: &str, status: &str, code: &str) -> (String, String, String) {
    (path.to_owned(), status.to_owned(), code.to_owned())
}

async fn with_tag(room: &Room, path: &str, tag: &str) -> Reply {
    room.raw(&reveal(path), &[("authorization", "Bearer admin"), ("if-none-match", tag)], "").await
}

#[tokio::test]
async fn items_as_they_are_written() {
    let room = Room::new().await;
    room.secret("/a").await;
    let entries =
        json!({ "path": "/b", "kmsKeyIdentity": room.key, "secretKeyValues": { "user": "YQ==", "none": "" } });
    assert_eq!(room.admin("POST /v1/secrets/nl-01/secrets", entries).await.status, 201);
    let reply = room.admin(VALUES, json!({ "paths": ["/b", "/none", "/a"], "known": { "/a": 1 } })).await;
    assert_eq!((reply.status, reply.header("cache-control")), (200, "no-store"));
    let alone = room.admin(&reveal("/b"), Value::Null).await;
    let etag = alone.header("etag").trim_matches('"').to_owned();
    let known = room.admin(&reveal("/a"), Value::Null).await.header("etag").trim_matches('"').to_owned();
    let missing = room.admin(&reveal("/none"), Value::Null).await.message();
    assert_eq!(
        reply.json(),
        json!({ "items": [
            { "path": "/b", "status": "ok", "version": 1, "etag": etag, "secretKeyValues": { "user": "YQ==", "none": "" },
              "kmsKeyIdentity": room.key, "kmsKeyVersion": "1" },
            { "path": "/none", "status": "missing", "code": "secret_not_found", "message": missing },
            { "path": "/a", "status": "unchanged", "version": 1, "etag": known },
        ] })
    );
    assert_eq!(room.call(READ_SCOPE, VALUES, json!({ "paths": ["/a"] })).await.status, 200, "it changes nothing");
}

#[tokio::test]
async fn each_item_is_refused_and_recorded_as_it_would_be_alone() {
    let room = Room::new().await;
    for path in ["/app/prod/a", "/app/prod/b", "/app/test/a"] {
        room.secret(path).await;
    }
    let deny = json!({ "accessPolicy": { "denied": [{ "type": "ip", "ips": ["192.0.2.0/24"] }] } });
    assert_eq!(room.admin("PUT /v1/secrets/nl-01/secret/app/prod/b/policy", deny).await.status, 200);
    let asked = ["/app/prod/a", "/app/test/a", "/app/prod/none", "/app/test/none", "/app/prod/b"];
    let known = json!({ "/app/prod/a": 1, "/app/prod/b": 1 });
    for token in [READER, ADMIN, NOBODY] {
        for known in [json!({}), known.clone()] {
            let before = room.records_after(0).await.len();
            let items = told(&room.call(token, VALUES, json!({ "paths": asked, "known": known })).await);
            let mut together: Vec<_> = room.records_after(before).await.iter().map(seen).collect();
            let before = room.records_after(0).await.len();
            for (path, item) in asked.iter().zip(&items) {
                let alone = room.call(token, &reveal(path), Value::Null).await;
                match item.1.as_str() {
                    "ok" => assert_eq!(alone.status, 200),
                    "unchanged" => assert_eq!((alone.status, &known[path]), (200, &json!(1)), "{token} {path}"),
                    "denied" => assert_eq!((alone.status, &alone.code()), (403, &item.2), "{token} {path}"),
                    "missing" => assert_eq!((alone.status, &alone.code()), (404, &item.2), "{token} {path}"),
                    other => panic!("{token} {path}: {other}"),
                }
            }
            let mut alone: Vec<_> = room.records_after(before).await.iter().map(seen).collect();
            if token == ADMIN && known.get("/app/prod/a").is_some() {
                // What is known uses no key.
                let of_key = alone.iter().position(|(action, ..)| action == "kms.decrypt").expect("of the first path");
                alone.remove(of_key);
                alone[of_key - 1].3 = 304;
            }
            together.sort();
            alone.sort();
            assert_eq!(together, alone, "{token}");
        }
    }
}

/// What a record tells: action, outcome, what it names, status.
fn seen(record: &strongroom_domain::audit::AuditRecord) -> (String, String, String, u16) {
    let resource = record.resource.as_ref().expect("named").identity.clone();
    (record.action.as_str().to_owned(), record.outcome.as_str().to_owned(), resource, record.status)
}

#[tokio::test]
async fn a_body_that_is_refused_reveals_nothing() {
    let room = Room::new().await;
    room.secret("/a").await;
    let many: Vec<String> = (0..101).map(|n| format!("/s{n}")).collect();
    let cursor = "bm90IGEgcGF0aA";
    let before = room.records_after(0).await.len();
    let rows = [
        (json!({}), "invalid_request", "either `paths`"),
        (json!({ "paths": null }), "invalid_request", "either `paths`"),
        (json!({ "paths": ["/a"], "pathPrefix": "/" }), "invalid_request", "either `paths`"),
        (json!({ "paths": [] }), "invalid_request", "`paths` has 0 entries"),
        (json!({ "paths": many }), "invalid_request", "`paths` has 101 entries"),
        (json!({ "paths": ["/a", "/b", "/a"] }), "invalid_request", "names `/a` twice"),
        (json!({ "paths": ["/a", "/b/"] }), "invalid_path", "`paths[1]`: The path of a secret does not end"),
        (json!({ "paths": [""] }), "invalid_path", "`paths[0]`"),
        (json!({ "paths": ["/a/../b"] }), "invalid_path", "`paths[0]`"),
        (json!({ "paths": "/a" }), "invalid_request", "`paths` must be a list"),
        (json!({ "paths": ["/a", 5] }), "invalid_request", "`paths[1]` must be a string"),
        (json!({ "paths": ["/a", null] }), "invalid_request", "`paths[1]` must be a string"),
        (json!({ "paths": ["/a"], "limit": 1 }), "invalid_request", "go with `pathPrefix`"),
        (json!({ "paths": ["/a"], "cursor": "L2E" }), "invalid_request", "go with `pathPrefix`"),
        (json!({ "pathPrefix": "app" }), "invalid_path", "`pathPrefix`"),
        (json!({ "pathPrefix": 5 }), "invalid_request", "`pathPrefix` must be a string"),
        (json!({ "pathPrefix": "/", "limit": 0 }), "invalid_request", "`limit` is a number from 1 to 100"),
        (json!({ "pathPrefix": "/", "limit": 101 }), "invalid_request", "`limit` is a number from 1 to 100"),
        (json!({ "pathPrefix": "/", "limit": "5" }), "invalid_request", "`limit` must be a whole number"),
        (json!({ "pathPrefix": "/", "cursor": cursor }), "invalid_request", "`nextCursor`"),
        (json!({ "pathPrefix": "/", "cursor": "!" }), "invalid_request", "`nextCursor`"),
        (json!({ "paths": ["/a"], "known": [] }), "invalid_request", "`known` must be an object"),
        (json!({ "paths": ["/a"], "known": { "/a": 0 } }), "invalid_request", "`known./a` is a version's number"),
        (json!({ "paths": ["/a"], "known": { "/b": -1 } }), "invalid_request", "`known./b` must be a version's number"),
        (json!({ "paths": ["/a"], "known": { "/a": 1.5 } }), "invalid_request", "`known./a` must be"),
        (json!({ "paths": ["/a"], "known": { "/a": null } }), "invalid_request", "`known./a` must be"),
        (json!({ "paths": ["/a"], "known": { "/a": [1] } }), "invalid_request", "`known./a` must be"),
        (json!([]), "invalid_request", "must be an object"),
    ];
    for (body, code, said) in &rows {
        let reply = room.admin(VALUES, body.clone()).await;
        assert_eq!(reply.verdict(), (400, (*code).to_owned()), "{body}: {}", reply.message());
        assert!(reply.message().contains(said), "{body}: {}", reply.message());
    }
    let doubled = r#"{"paths":["/a"],"known":{"/a":1,"/a":2}}"#;
    assert_eq!(room.raw(VALUES, &[("authorization", "Bearer admin")], doubled).await.status, 400);
    let large = json!({ "paths": ["/a"], "known": { "x".repeat(300_000): 1 } });
    assert_eq!(room.admin(VALUES, large).await.verdict(), (413, "body_too_large".to_owned()));
    assert_eq!(room.raw(VALUES, &[("authorization", "Bearer admin")], "").await.status, 400);
    let records = room.records_after(before).await;
    assert_eq!(records.len(), rows.len() + 3);
    assert!(records.iter().all(|record| record.action.as_str() == "secret.value.read" && record.status >= 400));
}

#[tokio::test]
async fn below_a_directory() {
    let room = Room::new().await;
    for path in ["/app/prod/a", "/app/prod/b", "/app/prod/c/d", "/app/production", "/z"] {
        room.secret(path).await;
    }
    let mut paths = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let body = json!({ "pathPrefix": "/app", "limit": 3, "cursor": cursor, "known": { "/app/prod/b": 1, "/no/path": "x", "": 1 } });
        let reply = room.admin(VALUES, body).await;
        paths.extend(told(&reply));
        cursor = reply.json()["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
        assert_eq!(paths.len(), 3);
    }
    let ok = |path| line(path, "ok", "");
    let unchanged = line("/app/prod/b", "unchanged", "");
    assert_eq!(paths, [ok("/app/prod/a"), unchanged, ok("/app/prod/c/d"), ok("/app/production")]);

    // The reader may list, but is short of the key.
    let denied = |path| line(path, "denied", "kms_key_forbidden");
    let reply = room.call(READER, VALUES, json!({ "pathPrefix": "/" })).await;
    assert_eq!(told(&reply), [denied("/app/prod/a"), denied("/app/prod/b"), denied("/app/prod/c/d")]);
    assert_eq!(told(&room.admin(VALUES, json!({ "pathPrefix": "/nothing/" })).await), []);
    let before = room.records_after(0).await.len();
    let refused = room.call(NOBODY, VALUES, json!({ "pathPrefix": "/app/" })).await;
    assert_eq!(refused.verdict(), (403, "forbidden".to_owned()));
    let records = room.records_after(before).await;
    assert_eq!(
        records.iter().map(seen).collect::<Vec<_>>(),
        [("secret.list".into(), "denied".into(), "/app/".into(), 403)]
    );
}

#[tokio::test]
async fn a_key_that_is_disabled_or_out_of_reach() {
    let room = Room::new().await;
    room.secret("/a").await;
    let disable = format!("POST /v1/kms/nl-01/keys/{}/disable", room.key);
    assert_eq!(room.admin(&disable, Value::Null).await.status, 200);
    for known in [json!({}), json!({ "/a": 1 })] {
        let reply = room.admin(VALUES, json!({ "paths": ["/a", "/none"], "known": known })).await;
        assert_eq!(
            told(&reply),
            [line("/a", "failed", "kms_key_unusable"), line("/none", "missing", "secret_not_found")]
        );
    }
}

#[tokio::test]
async fn a_reveal_unless_the_value_is_known() {
    let room = Room::new().await;
    room.secret("/a").await;
    let first = room.admin(&reveal("/a"), Value::Null).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("\"1-") && tag.ends_with('"'), "{tag}");
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}")] {
        let before = room.records_after(0).await.len();
        let reply = with_tag(&room, "/a", &known).await;
        assert_eq!((reply.status, reply.body.len()), (304, 0), "{known}");
        assert_eq!((reply.header("etag"), reply.header("cache-control")), (tag.as_str(), "no-store"));
        let records: Vec<_> = room.records_after(before).await.iter().map(seen).collect();
        assert_eq!(records, [("secret.value.read".into(), "success".into(), "/a".into(), 304)], "no key is used");
    }
    for other in ["\"1\"", "\"1-1\"", "\"\"", "\"2-1\", W/\"x\""] {
        let reply = with_tag(&room, "/a", other).await;
        assert_eq!((reply.status, reply.header("etag")), (200, tag.as_str()), "{other}");
    }
    for bad in ["*", "1", tag.trim_matches('"'), "\"a"] {
        let reply = with_tag(&room, "/a", bad).await;
        assert_eq!(reply.verdict(), (400, "invalid_request".to_owned()), "{bad}");
        assert!(reply.message().contains("`If-None-Match`"), "{}", reply.message());
    }
    // A list may go over several lines, and a foreign tag may have a comma in it.
    for lines in [["\"other\"", tag.as_str()], [tag.as_str(), "W/\"of-nobody\""], ["\"a,b\"", tag.as_str()]] {
        let headers = [("authorization", "Bearer admin"), ("if-none-match", lines[0]), ("if-none-match", lines[1])];
        assert_eq!(room.raw(&reveal("/a"), &headers, "").await.status, 304, "{lines:?}");
    }

    // A version that was named is compared, not the current one.
    let put = json!({ "secretString": "Yg==" });
    assert_eq!(room.admin("POST /v1/secrets/nl-01/secret/a/versions", put).await.status, 201);
    let reply = with_tag(&room, "/a", &tag).await;
    assert_eq!((reply.status, &reply.json()["version"]), (200, &json!(2)));
    assert_ne!(reply.header("etag"), tag);
    let headers = [("authorization", "Bearer admin"), ("if-none-match", tag.as_str())];
    assert_eq!(room.raw(&reveal("/a"), &headers, r#"{"version":1}"#).await.status, 304);

    // Whoever may not reveal hears so, whatever they know.
    let headers = [("authorization", "Bearer nobody"), ("if-none-match", tag.as_str())];
    assert_eq!(room.raw(&reveal("/a"), &headers, r#"{"version":1}"#).await.verdict(), (403, "forbidden".to_owned()));
    let destroy = "DELETE /v1/secrets/nl-01/secret/a/versions?version=1";
    assert_eq!(room.admin(destroy, Value::Null).await.status, 204);
    let headers = [("authorization", "Bearer admin"), ("if-none-match", tag.as_str())];
    let destroyed = room.raw(&reveal("/a"), &headers, r#"{"version":1}"#).await;
    assert_eq!(destroyed.verdict(), (404, "version_destroyed".to_owned()));
}
