use super::installation::{Installation, members};
use serde_json::{Value, json};

#[tokio::test]
async fn memberships_on_the_wire() {
    let room = Installation::new().await;
    let (zoe, token) = room.user("Zoë").await;
    let listed = room.owner("GET /v1/memberships", Value::Null).await.json();
    let listed = listed.as_array().expect("a list");
    assert_eq!(listed.len(), 2);
    let member = listed.iter().find(|member| member["user"]["subject"] == zoe.as_str()).expect("is a member");
    assert_eq!(members(member), ["createdAt", "identity", "role", "user"]);
    assert_eq!(member["role"], "MEMBER");
    let id = member["identity"].as_str().expect("an identity");
    let filtered = room.owner(&format!("GET /v1/memberships?identity={id}"), Value::Null).await.json();
    assert_eq!(filtered, json!([member]));

    let url = format!("PUT /v1/memberships/{id}");
    for body in [json!({ "role": "owner" }), json!({}), json!({ "role": null })] {
        assert_eq!(room.owner(&url, body).await.verdict(), (400, "invalid_request".to_owned()));
    }
    let raised = room.owner(&url, json!({ "role": "OWNER" })).await;
    assert_eq!((raised.status, &raised.json()["role"]), (200, &json!("OWNER")));
    assert_eq!(room.owner(&url, json!({ "role": "MEMBER" })).await.json(), *member);
    let told = room.records().await.into_iter().filter_map(|record| record.details?.access);
    let told: Vec<_> = told.collect();
    let changes = ["OWNER before=MEMBER", "MEMBER before=OWNER"].map(|role| format!("user={zoe} role={role}"));
    assert!(told.ends_with(&changes), "{told:?}");

    let add = json!({ "userIdentity": zoe });
    assert_eq!(room.owner("POST /v1/memberships", add.clone()).await.verdict(), (409, "already_exists".to_owned()));
    assert_eq!(room.owner(&format!("DELETE /v1/memberships/{id}"), Value::Null).await.status, 204);
    assert_eq!(
        room.call(&token, "GET /v1/regions", Value::Null).await.verdict(),
        (401, "unauthenticated".to_owned()),
        "it was bound to the organisation"
    );
    let again = room.owner("POST /v1/memberships", add).await;
    assert_eq!((again.status, &again.json()["role"]), (201, &json!("MEMBER")));
    assert_eq!(room.call(&token, "GET /v1/me", Value::Null).await.status, 401, "it does not come back");

    let own = listed.iter().find(|member| member["role"] == "OWNER").expect("an owner");
    let own = own["identity"].as_str().expect("an identity");
    let refused = room.owner(&format!("DELETE /v1/memberships/{own}"), Value::Null).await;
    assert_eq!(refused.verdict(), (400, "last_owner".to_owned()));
    let unknown = room.owner("DELETE /v1/memberships/nothing-such", Value::Null).await;
    assert_eq!(unknown.verdict(), (404, "object_not_found".to_owned()));
}

#[tokio::test]
async fn members_leave_by_themselves() {
    let room = Installation::new().await;
    let (zoe, token) = room.user("Zoë").await;
    let own = room.call(&token, "GET /v1/me/organisation-memberships", Value::Null).await.json();
    let own = own[0]["identity"].as_str().expect("an identity").to_owned();
    let (_, other) = room.user("Max").await;
    let url = format!("DELETE /v1/memberships/{own}");
    assert_eq!(room.call(&other, &url, Value::Null).await.verdict(), (403, "forbidden".to_owned()));
    assert_eq!(room.call(&token, &url, Value::Null).await.status, 204);
    let gone = room.owner(&format!("GET /v1/users/{zoe}"), Value::Null).await;
    assert_eq!(gone.verdict(), (404, "object_not_found".to_owned()));
}

#[tokio::test]
async fn only_the_operator_adds_members_of_other_organisations() {
    let room = Installation::new().await;
    let new = json!({ "name": "Shop", "owner": { "name": "Max" } });
    let made = room.call(&room.operator, "POST /v1/system/organisations", new).await.json();
    let max = made["owner"]["subject"].as_str().expect("an identity");
    let add = json!({ "userIdentity": max });
    let refused = room.owner("POST /v1/memberships", add.clone()).await;
    let unknown = room.owner("POST /v1/memberships", json!({ "userIdentity": made["identity"] })).await;
    assert_eq!(refused.verdict(), (404, "object_not_found".to_owned()));
    assert_eq!(unknown.verdict(), refused.verdict());
    let url = "POST /v1/system/organisations/dev/members";
    let owner = room.call(&room.operator, url, json!({ "userIdentity": max, "role": "OWNER" })).await;
    assert_eq!(owner.verdict(), (400, "escalation".to_owned()));
    let added = room.call(&room.operator, url, add.clone()).await;
    assert_eq!((added.status, &added.json()["role"]), (201, &json!("MEMBER")), "{}", added.message());
    assert_eq!(members(&added.json()), ["createdAt", "identity", "role", "user"]);
    let again = room.call(&room.operator, url, add).await;
    assert_eq!(again.verdict(), (409, "already_exists".to_owned()));
    let bad = room.call(&room.operator, url, json!({ "userIdentity": "max" })).await;
    assert_eq!(bad.verdict(), (404, "object_not_found".to_owned()));
}
