//! `maxActiveVersions`: in a create, a patch and what is shown of a secret.

use crate::support::{ADMIN, READER, Room};
use serde_json::{Value, json};

const SECRET: &str = "/v1/secrets/nl-01/secret/a";

async fn patch(room: &Room, body: &str) -> (u16, String) {
    let headers = [("authorization", "Bearer admin"), ("content-type", "application/merge-patch+json")];
    room.raw(&format!("PATCH {SECRET}"), &headers, body.to_owned()).await.verdict()
}

async fn create(room: &Room, path: &str, most: Value) -> crate::support::Reply {
    let body = json!({ "path": path, "kmsKeyIdentity": room.key, "secretString": "YQ==", "maxActiveVersions": most });
    room.call(ADMIN, "POST /v1/secrets/nl-01/secrets", body).await
}

async fn statuses(room: &Room) -> Vec<String> {
    let shown = room.get(&format!("{SECRET}?includeVersions=true")).await.json();
    let versions = shown["versions"].as_array().expect("a list");
    versions.iter().map(|version| version["status"].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test]
async fn it_is_set_shown_changed_and_taken_away() {
    let room = Room::new().await;
    let created = create(&room, "/a", json!(2)).await;
    assert_eq!((created.status, &created.json()["maxActiveVersions"]), (201, &json!(2)));
    for n in 2..=3 {
        let put = room.admin(&format!("POST {SECRET}/versions"), json!({ "secretString": "Yg==" })).await;
        assert_eq!(put.json(), json!({ "path": "/a", "version": n }));
    }
    assert_eq!(statuses(&room).await, ["destroyed", "active", "active"]);
    let reveal = async |number: u64| room.admin(&format!("POST {SECRET}/value"), json!({ "version": number })).await;
    assert_eq!(reveal(1).await.verdict(), (404, "version_destroyed".to_owned()));
    assert_eq!(reveal(2).await.status, 200);
    let listed = room.get("/v1/secrets/nl-01/secrets?pathPrefix=/").await.json();
    assert_eq!(listed[0]["maxActiveVersions"], 2);

    assert_eq!(patch(&room, r#"{"maxActiveVersions":1}"#).await.0, 200);
    assert_eq!(room.get(SECRET).await.json()["maxActiveVersions"], 1);
    assert_eq!(patch(&room, r#"{"description":"d"}"#).await.0, 200);
    assert_eq!(room.get(SECRET).await.json()["maxActiveVersions"], 1, "what isn't named stays");
    assert_eq!(statuses(&room).await, ["destroyed", "active", "active"], "a patch destroys nothing");
    assert_eq!(patch(&room, r#"{"maxActiveVersions":null}"#).await.0, 200);
    let shown = room.get(SECRET).await.json();
    assert_eq!((shown.get("maxActiveVersions"), &shown["description"]), (None, &json!("d")));
    assert_eq!(create(&room, "/b", Value::Null).await.json().get("maxActiveVersions"), None);
}

#[tokio::test]
async fn what_it_may_not_be() {
    let room = Room::new().await;
    room.secret("/a").await;
    for most in ["0", "100001", "4294967296", "-1", "1.5", "\"2\"", "[]", "{}", "true"] {
        assert_eq!(patch(&room, &format!(r#"{{"maxActiveVersions":{most}}}"#)).await.0, 400, "{most}");
        let body = format!(
            r#"{{"path":"/b","kmsKeyIdentity":"{}","secretString":"YQ==","maxActiveVersions":{most}}}"#,
            room.key
        );
        let request = "POST /v1/secrets/nl-01/secrets";
        let reply = room.raw(request, &[("authorization", "Bearer admin")], body).await;
        assert_eq!(reply.verdict(), (400, "invalid_request".to_owned()), "{most}");
        assert!(reply.message().contains("`maxActiveVersions`"), "{}", reply.message());
    }
    assert_eq!(patch(&room, r#"{"maxActiveVersion":1}"#).await.0, 400, "members that aren't known");
    let shown = room.get(SECRET).await.json();
    assert_eq!((shown.get("maxActiveVersions"), &shown["objectVersion"]), (None, &json!(1)));
    assert_eq!(room.get("/v1/secrets/nl-01/secret/b").await.status, 404);
    let denied = room.call(READER, &format!("PATCH {SECRET}"), json!({ "maxActiveVersions": 1 })).await;
    assert_eq!(denied.verdict(), (403, "forbidden".to_owned()));
}

/// An operator may lower the limit on active versions below what secrets say already: what a GET shows can be sent back, and to another
/// secret.
#[tokio::test]
async fn it_may_be_more_than_the_operator_allows() {
    let room = Room::new().await;
    room.secret("/a").await;
    for most in [1_001, 100_000] {
        assert_eq!(patch(&room, &json!({ "maxActiveVersions": most }).to_string()).await.0, 200);
        let shown = room.get(SECRET).await.json()["maxActiveVersions"].clone();
        assert_eq!(shown, most);
        let copy = create(&room, &format!("/copy/{most}"), shown).await;
        assert_eq!((copy.status, &copy.json()["maxActiveVersions"]), (201, &json!(most)));
    }
}
