//! Browsing and listing.

use crate::support::{ADMIN, NOBODY, READER, Room};
use serde_json::{Value, json};

async fn filled() -> Room {
    let room = Room::new().await;
    for path in ["/app", "/app/dev/a", "/app/prod/db/x", "/app/prod/z", "/apple", "/b/c/d", "/top"] {
        room.secret(path).await;
    }
    room
}

fn paths(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|secret| secret["path"].as_str().expect("a path")).collect()
}

#[tokio::test]
async fn one_level_or_everything() {
    let room = filled().await;
    let root = room.get("/v1/secrets/nl-01/secrets?path=/").await.json();
    assert_eq!((&root["path"], &root["prefixes"]), (&json!("/"), &json!(["/app/", "/b/"])));
    assert_eq!(paths(&root["secrets"]), ["/app", "/apple", "/top"]);
    for argument in ["/app", "/app/", "%2Fapp"] {
        let level = room.get(&format!("/v1/secrets/nl-01/secrets?path={argument}")).await.json();
        assert_eq!((&level["path"], &level["prefixes"]), (&json!("/app/"), &json!(["/app/dev/", "/app/prod/"])));
        assert_eq!(level["secrets"], json!([]));
        let flat = room.get(&format!("/v1/secrets/nl-01/secrets?pathPrefix={argument}")).await.json();
        assert_eq!(paths(&flat), ["/app/dev/a", "/app/prod/db/x", "/app/prod/z"]);
    }
    let empty = room.get("/v1/secrets/nl-01/secrets?path=/none").await;
    assert_eq!(empty.json(), json!({ "path": "/none/", "prefixes": [], "secrets": [] }));
    assert_eq!(room.get("/v1/secrets/nl-01/secrets?pathPrefix=/none").await.json(), json!([]));
    // Another region is another scope, and needs no KMS for this.
    assert_eq!(room.get("/v1/secrets/de-01/secrets?pathPrefix=/").await.json(), json!([]));
}

#[tokio::test]
async fn only_what_the_caller_may_read() {
    let room = filled().await;
    let root = room.call(READER, "GET /v1/secrets/nl-01/secrets?path=/", Value::Null).await.json();
    assert_eq!(root, json!({ "path": "/", "prefixes": ["/app/"], "secrets": [] }));
    let flat = room.call(READER, "GET /v1/secrets/nl-01/secrets?pathPrefix=/", Value::Null).await.json();
    assert_eq!(paths(&flat), ["/app/prod/db/x", "/app/prod/z"]);
    for query in ["path=/", "pathPrefix=/", "path=/&limit=5", "pathPrefix=/&limit=5"] {
        let refused = room.call(NOBODY, &format!("GET /v1/secrets/nl-01/secrets?{query}"), Value::Null).await;
        assert_eq!(refused.verdict(), (403, "forbidden".to_owned()), "{query}");
    }
}

#[tokio::test]
async fn pages_join_to_the_whole() {
    let room = filled().await;
    for (query, limit) in
        [("pathPrefix=/", 2), ("path=/", 2), ("path=%2F", 1), ("pathPrefix=/app", 3), ("path=/", 1000)]
    {
        let mut url = format!("/v1/secrets/nl-01/secrets?{query}&limit={limit}&extra=a%26b");
        let (mut secrets, mut prefixes, mut pages) = (Vec::new(), Vec::new(), 0);
        loop {
            let page = room.get(&url).await;
            assert_eq!(page.status, 200, "{url}");
            let body = page.json();
            let list = if body.is_array() { &body } else { &body["secrets"] };
            let directories = body["prefixes"].as_array().cloned().unwrap_or_default();
            assert!(list.as_array().map_or(0, Vec::len) + directories.len() <= limit);
            secrets.extend(paths(list).into_iter().map(str::to_owned));
            prefixes.extend(directories);
            pages += 1;
            match page.header("link").strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")) {
                Some(next) => url = next.to_owned(),
                None => break,
            }
        }
        let whole = room.get(&format!("/v1/secrets/nl-01/secrets?{query}")).await.json();
        let list = if whole.is_array() { &whole } else { &whole["secrets"] };
        assert_eq!(secrets, paths(list));
        assert_eq!(json!(prefixes), whole.get("prefixes").cloned().unwrap_or_else(|| json!([])));
        assert!(pages >= (secrets.len() + prefixes.len()).div_ceil(limit));
    }
}

#[tokio::test]
async fn more_than_the_server_reads_at_once_is_streamed_whole() {
    let room = Room::new().await;
    for n in 0..700 {
        room.secret(&format!("/many/s{n:03}")).await;
        if n % 2 == 0 {
            room.secret(&format!("/many/d{n:03}/x")).await;
        }
    }
    let flat = room.get("/v1/secrets/nl-01/secrets?pathPrefix=/many").await.json();
    assert_eq!(paths(&flat).len(), 1050);
    assert!(paths(&flat).is_sorted());
    let level = room.get("/v1/secrets/nl-01/secrets?path=/many").await.json();
    assert_eq!(level["path"], "/many/");
    assert_eq!((paths(&level["secrets"]).len(), level["prefixes"].as_array().map(Vec::len)), (700, Some(350)));
    let empty = room.get("/v1/secrets/nl-01/secrets?pathPrefix=/many&matchLabels[a]=b").await;
    assert_eq!(empty.json(), json!([]));
}

#[tokio::test]
async fn labels_select() {
    let room = filled().await;
    for (path, labels) in [("/top", json!({ "team": "a b", "x": "1" })), ("/apple", json!({ "team": "c" }))] {
        let changed = room.admin(&format!("PATCH /v1/secrets/nl-01/secret{path}"), json!({ "labels": labels })).await;
        assert_eq!(changed.status, 200);
    }
    for (query, expected) in [
        ("matchLabels[team]=c", vec!["/apple"]),
        ("matchLabels%5Bteam%5D=a+b", vec!["/top"]),
        ("matchLabels[team]=a%20b&matchLabels[x]=1", vec!["/top"]),
        ("matchLabels[team]=c&matchLabels[x]=1", vec![]),
    ] {
        let flat = room.get(&format!("/v1/secrets/nl-01/secrets?pathPrefix=/&{query}")).await.json();
        assert_eq!(paths(&flat), expected, "{query}");
    }
}

#[tokio::test]
async fn bad_questions() {
    let room = filled().await;
    for query in [
        "",
        "path=/&pathPrefix=/",
        "path=",
        "path=app",
        "path=//",
        "path=/a/../b",
        "path=/a%20b",
        "path=/&limit=0",
        "path=/&limit=1001",
        "path=/&limit=x",
        "path=/&limit=",
        "path=/&cursor=",
        "path=/&cursor=%21",
        "path=/&cursor=YQ",
        "path=/&cursor=L2EA",
        "path=/&path=/",
        "path=/&limit=1&limit=1",
    ] {
        let reply = room.call(ADMIN, &format!("GET /v1/secrets/nl-01/secrets?{query}"), Value::Null).await;
        assert_eq!(reply.status, 400, "{query}");
    }
}
