//! Version numbers, wherever they can stand.

use crate::support::Room;
use serde_json::{Value, json};

#[tokio::test]
async fn numbers_that_are_none() {
    let room = Room::new().await;
    room.secret("/a").await;
    for number in
        ["0", "-1", "+1", "01.0", "1.5", "1e3", "9223372036854775808", "18446744073709551616", "", "x", "%31%20"]
    {
        let request = format!("DELETE /v1/secrets/nl-01/secret/a/versions?version={number}");
        let reply = room.admin(&request, Value::Null).await;
        assert_eq!(reply.verdict(), (400, "invalid_request".to_owned()), "{request}");
        assert!(reply.message().contains("`version`"), "{}", reply.message());
    }
    for number in
        ["0", "-1", "1.5", "1e3", "1.0", "9223372036854775808", "18446744073709551616", "\"\"", "\"1\"", "[1]", "true"]
    {
        let body = format!(r#"{{"version":{number}}}"#);
        let reply = room.raw("POST /v1/secrets/nl-01/secret/a/value", &[("authorization", "Bearer admin")], body).await;
        assert_eq!(reply.verdict(), (400, "invalid_request".to_owned()), "{number}");
        assert!(reply.message().contains("`version`"), "{}", reply.message());
    }
    assert_eq!(room.get("/v1/secrets/nl-01/secret/a").await.json()["currentVersion"], 1);
}

#[tokio::test]
async fn unknown_destroyed_and_current_ones() {
    let room = Room::new().await;
    room.secret("/a").await;
    let reveal = async |body: Value| room.admin("POST /v1/secrets/nl-01/secret/a/value", body).await;
    let destroy = async |number: u64| {
        room.admin(&format!("DELETE /v1/secrets/nl-01/secret/a/versions?version={number}"), Value::Null).await
    };
    assert_eq!(
        room.admin("POST /v1/secrets/nl-01/secret/a/versions", json!({ "secretString": "Yg==" })).await.status,
        201
    );
    assert_eq!(reveal(json!({ "version": 1 })).await.json()["secretString"], "YQ==");
    assert_eq!(reveal(json!({ "version": null })).await.json()["version"], 2);
    assert_eq!(reveal(json!({ "version": 3 })).await.verdict(), (404, "version_not_found".to_owned()));
    assert_eq!(reveal(json!({ "version": i64::MAX })).await.status, 404);
    assert_eq!(destroy(3).await.verdict(), (404, "version_not_found".to_owned()));

    let gone = destroy(2).await;
    assert_eq!((gone.status, gone.body.len(), gone.header("content-type")), (204, 0, ""));
    assert_eq!(destroy(2).await.status, 204);
    assert_eq!(reveal(json!({ "version": 2 })).await.verdict(), (404, "version_destroyed".to_owned()));
    assert_eq!(reveal(Value::Null).await.json()["version"], 1);
    assert_eq!(destroy(1).await.status, 204);
    assert_eq!(reveal(Value::Null).await.verdict(), (404, "no_active_version".to_owned()));

    let secret = room.get("/v1/secrets/nl-01/secret/a?includeVersions=true").await.json();
    assert_eq!(secret["currentVersion"], 0);
    let put = room.admin("POST /v1/secrets/nl-01/secret/a/versions", json!({ "secretKeyValues": { "k": "" } })).await;
    assert_eq!(put.json()["version"], 3);
    let versions = room.get("/v1/secrets/nl-01/secret/a?includeVersions=true").await.json()["versions"].clone();
    let shown: Vec<_> = versions
        .as_array()
        .expect("a list")
        .iter()
        .map(|version| {
            let destroyed = version.get("destroyedAt").is_some();
            (
                version["version"].clone(),
                version["status"].clone(),
                version.get("stage").cloned(),
                version["valueFormat"].clone(),
                destroyed,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (json!(1), json!("destroyed"), None, json!("string"), true),
            (json!(2), json!("destroyed"), None, json!("string"), true),
            (json!(3), json!("active"), Some(json!("current")), json!("keyValue"), false),
        ]
    );
}

#[tokio::test]
async fn versions_come_in_pages() {
    let room = Room::new().await;
    room.secret("/a").await;
    for _ in 0..4 {
        let put = room.admin("POST /v1/secrets/nl-01/secret/a/versions", json!({ "generateSecret": {} })).await;
        assert_eq!(put.status, 201);
    }
    let mut url = "/v1/secrets/nl-01/secret/a?includeVersions=true&versionLimit=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = room.get(&url).await;
        let versions = page.json()["versions"].as_array().expect("a list").clone();
        assert!(versions.len() <= 2);
        seen.extend(versions.into_iter().map(|version| version["version"].clone()));
        match page.header("link").strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")) {
            Some(next) => url = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    assert_eq!(
        room.get("/v1/secrets/nl-01/secret/a?includeVersions=1").await.json()["versions"].as_array().map(Vec::len),
        Some(5)
    );
    assert_eq!(room.get("/v1/secrets/nl-01/secret/a").await.json().get("versions"), None);
    for bad in [
        "includeVersions=yes",
        "versionLimit=1",
        "includeVersions=true&versionLimit=0",
        "includeVersions=true&versionCursor=x",
        "includeVersions=true&versionCursor=YQ",
    ] {
        assert_eq!(room.get(&format!("/v1/secrets/nl-01/secret/a?{bad}")).await.status, 400, "{bad}");
    }
}
