use super::installation::{Installation, members};
use serde_json::{Value, json};
use strongroom_domain::principal::Principal;

#[tokio::test]
async fn users_on_the_wire() {
    let room = Installation::new().await;
    let made = room.owner("POST /v1/users", json!({ "name": "Zoë", "email": "zoe@example.com" })).await;
    assert_eq!(made.status, 201, "{}", made.message());
    let user = made.json();
    assert_eq!(members(&user), ["createdAt", "email", "identity", "name", "subject"]);
    assert_eq!(user["identity"], user["subject"]);
    let id = user["identity"].as_str().expect("an identity");
    assert_eq!(room.owner(&format!("GET /v1/users/{id}"), Value::Null).await.json(), user);
    assert_eq!(room.owner(&format!("GET /v1/users?identity={id}"), Value::Null).await.json(), json!([user]));
    assert_eq!(room.owner("GET /v1/users", Value::Null).await.json().as_array().map(Vec::len), Some(2));
    assert_eq!(room.owner("GET /v1/users/zoe", Value::Null).await.verdict(), (404, "object_not_found".to_owned()));
    assert_eq!(room.owner("POST /v1/users", json!({ "email": "a@b" })).await.status, 400);
}

#[tokio::test]
async fn a_handed_out_token_is_shown_once_and_tells_who_made_it() {
    let room = Installation::new().await;
    let user = room.owner("POST /v1/users", json!({ "name": "Zoë" })).await.json();
    let id = user["identity"].as_str().expect("an identity").to_owned();
    let url = format!("POST /v1/users/{id}/personal-access-tokens");
    let issued = room.owner(&url, json!({ "name": "first" })).await;
    assert_eq!((issued.status, issued.header("cache-control")), (201, "no-store"));
    let issued = issued.json();
    assert_eq!(members(&issued), ["createdAt", "identity", "name", "organisationIdentity", "token"]);
    let token = issued["token"].as_str().expect("a token");
    let me = room.call(token, "GET /v1/me", Value::Null).await.json();
    assert_eq!((&me["identity"], &me["credential"]), (&json!(id), &issued["identity"]));
    let records = room.records().await;
    let used = records.last().expect("a record");
    let made = records.iter().find(|record| record.action.as_str() == "iam.personal_token.create").expect("a record");
    assert!(matches!(made.principal, Some(Principal::User(owner)) if owner.to_string() != id));
    let resource = made.resource.as_ref().expect("a resource");
    assert_eq!(resource.identity, format!("{id}/{}", issued["identity"].as_str().expect("an identity")));
    assert_eq!(
        used.credential.map(strongroom_domain::id::CredentialId::uuid),
        resource.id,
        "every use names the token"
    );
    let refused = room.call(token, &url, json!({ "name": "second" })).await;
    assert_eq!(refused.verdict(), (403, "forbidden".to_owned()));
}

#[tokio::test]
async fn owners_see_and_delete_what_is_bound_to_their_organisation() {
    let room = Installation::new().await;
    let (zoe, token) = room.user("Zoë").await;
    let url = format!("/v1/users/{zoe}/personal-access-tokens");
    let listed = room.owner(&format!("GET {url}"), Value::Null).await.json();
    let first = &listed.as_array().expect("a list")[0];
    assert_eq!(members(first), ["createdAt", "identity", "name", "organisationIdentity"]);
    let filtered = room.owner(&format!("GET {url}?name=second"), Value::Null).await.json();
    assert_eq!(filtered, json!([]));
    let id = first["identity"].as_str().expect("an identity");
    assert_eq!(room.owner(&format!("DELETE {url}/{id}"), Value::Null).await.status, 204);
    assert_eq!(room.call(&token, "GET /v1/me", Value::Null).await.status, 401);
    let again = room.owner(&format!("DELETE {url}/{id}"), Value::Null).await;
    assert_eq!(again.verdict(), (404, "object_not_found".to_owned()));
    assert_eq!(room.owner(&format!("GET {url}"), Value::Null).await.json(), json!([]));
}
