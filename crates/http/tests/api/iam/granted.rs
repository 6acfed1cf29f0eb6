//! Records of changes of access say what was given, taken or altered, and whose; the matrix has the plain ones.

use super::installation::Installation;
use serde_json::{Value, json};
use strongroom_domain::audit::Action;

/// Makes a change that must be done, and gives its answer with what its record says of access.
async fn told(room: &Installation, token: &str, request: &str, body: Value) -> (Value, String) {
    let before = room.records().await.len();
    let reply = room.call(token, request, body).await;
    assert!(matches!(reply.status, 200 | 201 | 204), "{request}: {}", reply.message());
    let record = room.records().await.swap_remove(before);
    let access = record.details.and_then(|details| details.access).expect("the record says it");
    (if reply.status == 204 { Value::Null } else { reply.json() }, access)
}

fn text(of: &Value, member: &str) -> String {
    of[member].as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn rules_and_bindings_are_told_with_their_limits() {
    let room = Installation::new().await;
    let owner = room.owner.as_str();
    let (user, _) = room.user("Zoë").await;
    let role = text(&room.owner("POST /v1/iam/roles", json!({ "name": "readers" })).await.json(), "identity");
    let rule = json!({
        "resources": ["secret"], "resourceIdentities": ["/app/**", "/a b"], "permissions": ["read", "list"], "note": "why",
    });
    let (made, access) = told(&room, owner, &format!("POST /v1/iam/roles/{role}/rules"), rule).await;
    let rule = text(&made, "identity");
    let expected = format!("rule={rule} resources=secret resourceIdentities=/app/**,\"/a b\" permissions=read,list");
    assert_eq!(access, expected);
    let (_, gone) = told(&room, owner, &format!("DELETE /v1/iam/roles/{role}/rules/{rule}"), Value::Null).await;
    assert_eq!(gone, expected);

    let binding = json!({ "name": "b", "userIdentity": user, "scopes": ["web", "shop to=all"] });
    let (made, access) = told(&room, owner, &format!("POST /v1/iam/roles/{role}/bindings"), binding).await;
    let expected = format!("role={role} to={user} projects=web,\"shop to=all\"");
    assert_eq!(access, expected);
    let url = format!("DELETE /v1/iam/roles/{role}/bindings/{}", text(&made, "identity"));
    assert_eq!(told(&room, owner, &url, Value::Null).await.1, expected);
}

#[tokio::test]
async fn what_lets_others_in_is_told_when_it_changes() {
    let room = Installation::new().await;
    let owner = room.owner.as_str();
    let made = |request: &'static str, body: Value| {
        let room = &room;
        async move { text(&room.owner(request, body).await.json(), "identity") }
    };
    let account = made("POST /v1/service-accounts", json!({ "name": "robot" })).await;
    let provider = json!({ "name": "p", "providerIssuer": "https://issuer.example" });
    let provider = made("POST /v1/federated-identity-providers", provider).await;
    let url = format!("PUT /v1/federated-identity-providers/{provider}");
    let keys = json!({ "providerJwksUri": "https://issuer.example/keys?token=hidden" });
    let (_, access) = told(&room, owner, &url, keys).await;
    assert_eq!(access, "issuer=https://issuer.example status=active changed=keys");

    let identity = json!({
        "name": "i", "serviceAccountIdentity": account, "providerIdentity": provider,
        "providerSubject": "repo:a status=revoked", "trustedAudiences": ["strongroom"],
    });
    let (made, access) = told(&room, owner, "POST /v1/federated-identities", identity).await;
    let start = format!("serviceAccount={account} provider={provider}");
    let subject = "subject=\"repo:a status=revoked\" audiences=strongroom";
    assert_eq!(access, format!("{start} status=active {subject}"));
    let url = format!("PUT /v1/federated-identities/{}", text(&made, "identity"));
    let (_, access) = told(&room, owner, &url, json!({ "status": "inactive", "conditions": { "ref": "main" } })).await;
    assert_eq!(access, format!("{start} status=inactive {subject} changed=conditions,status"));
}

#[tokio::test]
async fn the_first_owner_is_told() {
    let room = Installation::new().await;
    let members = room.owner("GET /v1/memberships", Value::Null).await.json();
    let me = text(&members[0]["user"], "subject");
    let first = room.records().await.swap_remove(0);
    assert_eq!(first.action, Action::SystemInit);
    let access = first.details.and_then(|details| details.access);
    assert_eq!(access, Some(format!("user={me} role=OWNER")));
}

#[tokio::test]
async fn policies_are_told() {
    let room = Installation::new().await;
    let key = text(&room.owner("POST /v1/kms/nl-01/keys", json!({ "name": "key" })).await.json(), "identity");
    let policy = json!({ "statements": [{ "principals": ["*"], "effect": "Allow", "actions": ["read"] }] });
    let secret = |path: &str| json!({ "path": path, "kmsKeyIdentity": key, "secretString": "YQ==" });
    assert_eq!(room.owner("POST /v1/secrets/nl-01/secrets", secret("/a")).await.status, 201);
    let (_, access) =
        told(&room, &room.owner, "PUT /v1/secrets/nl-01/secret/a/policy", json!({ "accessPolicy": policy })).await;
    assert_eq!(access, "policy=set");
    let mut with_one = secret("/b");
    with_one["accessPolicy"] = policy;
    assert_eq!(told(&room, &room.owner, "POST /v1/secrets/nl-01/secrets", with_one).await.1, "policy=set");
}

#[tokio::test]
async fn gates_are_told_when_they_change() {
    let room = Installation::new().await;
    let url = "PUT /v1/system/organisations/dev/gates";
    let (_, access) = told(&room, &room.operator, url, json!({ "projects": false })).await;
    assert_eq!(access, "secrets=true kms=true projects=false");
}
