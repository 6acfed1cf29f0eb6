use super::installation::{Installation, members};
use serde_json::{Value, json};

#[tokio::test]
async fn a_team_and_its_members_on_the_wire() {
    let room = Installation::new().await;
    let body = json!({ "name": "On Call", "labels": null, "annotations": null, "description": "nights", "x": 1 });
    let made = room.owner("POST /v1/teams", body).await;
    assert_eq!(made.status, 201, "{}", made.message());
    let team = made.json();
    assert_eq!(members(&team), ["createdAt", "description", "identity", "members", "name", "objectVersion", "slug"]);
    assert_eq!(team["members"], json!([]));

    let (zoe, _) = room.user("Zoë").await;
    let add = json!({ "userIdentity": zoe, "role": "ADMIN" });
    let added = room.owner("POST /v1/teams/on-call/members", add.clone()).await;
    assert_eq!(added.status, 201, "{}", added.message());
    let member = added.json();
    assert_eq!(members(&member), ["createdAt", "identity", "role", "updatedAt", "user"]);
    assert_eq!(member["createdAt"], member["updatedAt"]);
    assert_eq!(members(&member["user"]), ["createdAt", "name", "subject"]);
    assert_eq!((&member["role"], &member["user"]["subject"]), (&json!("ADMIN"), &json!(zoe)));
    assert_eq!(room.owner("POST /v1/teams/on-call/members", add).await.verdict(), (409, "already_exists".to_owned()));
    let shown = room.owner("GET /v1/teams/on-call", Value::Null).await.json();
    assert_eq!(shown["members"], json!([member]));
    assert_eq!(room.owner("GET /v1/teams?slug=on-call&name=On%20Call", Value::Null).await.json(), json!([shown]));
    assert_eq!(room.owner("GET /v1/teams?slug=other", Value::Null).await.json(), json!([]));

    let changed = room.owner("PUT /v1/teams/on-call", json!({ "name": "Nights", "labels": { "a": "b" } })).await;
    assert_eq!(changed.status, 200);
    let changed = changed.json();
    assert_eq!((&changed["slug"], &changed["description"]), (&json!("on-call"), &json!("nights")));
    assert_eq!(changed, room.owner("GET /v1/teams/on-call", Value::Null).await.json());
    let cleared = room.owner("PUT /v1/teams/on-call", json!({ "description": "", "labels": {} })).await.json();
    assert_eq!((cleared.get("description"), cleared.get("labels"), &cleared["name"]), (None, None, &json!("Nights")));

    let removed = room.owner(&format!("DELETE /v1/teams/on-call/members/{zoe}"), Value::Null).await;
    assert_eq!((removed.status, removed.body.len()), (204, 0));
    assert_eq!(room.owner("DELETE /v1/teams/on-call", Value::Null).await.status, 204);
    assert_eq!(room.owner("GET /v1/teams/on-call", Value::Null).await.verdict(), (404, "object_not_found".to_owned()));
}

#[tokio::test]
async fn bodies_name_users_by_identity_and_roles_by_their_name() {
    let room = Installation::new().await;
    room.owner("POST /v1/teams", json!({ "name": "a" })).await;
    let (zoe, token) = room.user("Zoë").await;
    for (body, expected, says) in [
        (json!({ "userIdentity": "zoe", "role": "MEMBER" }), 404, "identity"),
        (json!({ "userIdentity": zoe, "role": "BOSS" }), 400, "`role`"),
        (json!({ "role": "MEMBER" }), 400, "`userIdentity`"),
    ] {
        let refused = room.owner("POST /v1/teams/a/members", body).await;
        assert_eq!(refused.status, expected, "{}", refused.message());
        assert!(refused.message().contains(says), "{}", refused.message());
    }
    // Who may not is told so before a word of the body is read.
    let refused = room.call(&token, "POST /v1/teams", json!("?")).await;
    assert_eq!(refused.verdict(), (403, "forbidden".to_owned()));
}
