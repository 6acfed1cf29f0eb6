use super::installation::{Installation, members};
use super::tokens::jwks;
use serde_json::{Value, json};

const PROVIDERS: &str = "/v1/federated-identity-providers";
const IDENTITIES: &str = "/v1/federated-identities";

#[tokio::test]
async fn a_provider_on_the_wire() {
    let room = Installation::new().await;
    let keys = jwks();
    let body = json!({ "name": "CI", "providerIssuer": "https://ci.example", "localJwks": keys, "status": "" });
    let made = room.owner(&format!("POST {PROVIDERS}"), body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.message());
    let made = made.json();
    let expected =
        ["createdAt", "createdBy", "identity", "localJwks", "name", "objectVersion", "providerIssuer", "status"];
    assert_eq!(members(&made), expected);
    assert_eq!((&made["localJwks"], &made["status"]), (&keys, &json!("active")));
    assert_eq!(room.owner(&format!("POST {PROVIDERS}"), body).await.verdict(), (409, "already_exists".to_owned()));
    let one = format!("{PROVIDERS}/{}", made["identity"].as_str().expect("an identity"));
    let put = json!({ "status": "inactive", "providerIssuer": "https://ci.example", "localJwks": keys });
    let put = room.owner(&format!("PUT {one}"), put).await;
    assert_eq!((put.status, &put.json()["status"]), (200, &json!("inactive")), "{}", put.message());
    assert_eq!(put.json(), room.owner(&format!("GET {one}"), Value::Null).await.json());
    for (query, found) in [("", 1), ("?status=inactive", 1), ("?status=active", 0), ("?name=CI", 1)] {
        let list = room.owner(&format!("GET {PROVIDERS}{query}"), Value::Null).await.json();
        assert_eq!(list.as_array().map(Vec::len), Some(found), "{query}");
    }
    for (body, field) in [
        (json!({ "providerIssuer": "https://other" }), "providerIssuer"),
        (json!({ "localJwks": { "keys": [] } }), "localJwks"),
        (json!({ "status": "on" }), "status"),
        (json!({ "providerJwksUri": "http://10.0.0.1/keys" }), "wksUri"),
    ] {
        let refused = room.owner(&format!("PUT {one}"), body).await;
        assert_eq!(refused.verdict(), (400, "invalid_request".to_owned()));
        assert!(refused.message().contains(field), "{}", refused.message());
    }
    assert_eq!(room.owner(&format!("DELETE {one}"), Value::Null).await.status, 204);
}

#[tokio::test]
async fn a_federated_identity_on_the_wire() {
    let room = Installation::new().await;
    let account = room.owner("POST /v1/service-accounts", json!({ "name": "App" })).await.json()["identity"].clone();
    let provider = json!({ "name": "CI", "providerIssuer": "https://ci.example", "localJwks": jwks() });
    let provider = room.owner(&format!("POST {PROVIDERS}"), provider).await.json()["identity"].clone();
    let conditions = json!({ "env": "prod", "branch": ["main", "next"], "run": 5, "own": true });
    let body = json!({
        "name": "Deploys", "serviceAccountIdentity": account, "providerIdentity": provider,
        "providerSubject": "repo:a/*", "trustedAudiences": ["strongroom"], "allowedScopes": null,
        "conditions": conditions, "expiresAt": "2030-01-01T02:00:00+02:00",
    });
    let made = room.owner(&format!("POST {IDENTITIES}"), body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.message());
    let made = made.json();
    assert_eq!(
        members(&made),
        [
            "allowedScopes",
            "audienceMatchMode",
            "conditions",
            "createdAt",
            "expiresAt",
            "identity",
            "name",
            "objectVersion",
            "provider",
            "providerSubject",
            "serviceAccount",
            "slug",
            "status",
            "trustedAudiences",
        ]
    );
    assert_eq!((&made["audienceMatchMode"], &made["status"]), (&json!("any"), &json!("active")));
    assert_eq!((&made["conditions"], &made["expiresAt"]), (&conditions, &body["expiresAt"]));
    assert_eq!((&made["serviceAccount"]["identity"], &made["provider"]["identity"]), (&account, &provider));
    assert_eq!(made, room.owner(&format!("GET {IDENTITIES}/deploys"), Value::Null).await.json());

    let with = |field: &str, value: Value| {
        let mut body = body.clone();
        body[field] = value;
        body
    };
    for (field, value) in [("serviceAccountIdentity", "app"), ("providerIdentity", "ci")] {
        let refused = room.owner(&format!("POST {IDENTITIES}"), with(field, json!(value))).await;
        assert_eq!(refused.verdict(), (404, "object_not_found".to_owned()), "{field}");
        assert!(refused.message().contains(field) && refused.message().contains("identity"), "{}", refused.message());
    }
    for (field, value) in [
        ("providerSubject", json!("*")),
        ("audienceMatchMode", json!("some")),
        ("allowedScopes", json!(["admin"])),
        ("status", json!("on")),
        ("expiresAt", json!("soon")),
        ("conditions", json!([])),
        ("conditions", json!({ "a": 1.5 })),
        ("trustedAudiences", json!([""])),
    ] {
        let refused = room.owner(&format!("POST {IDENTITIES}"), with(field, value)).await;
        assert_eq!(refused.verdict(), (400, "invalid_request".to_owned()), "{field}");
        assert!(refused.message().contains(field), "{}", refused.message());
    }
    let put = json!({ "status": "inactive", "providerSubject": "repo:a/*", "serviceAccountIdentity": account });
    let put = room.owner(&format!("PUT {IDENTITIES}/deploys"), put).await;
    assert_eq!((put.status, &put.json()["status"]), (200, &json!("inactive")), "{}", put.message());
    let list = room.owner(&format!("GET {IDENTITIES}?status=inactive"), Value::Null).await.json();
    assert_eq!(list, json!([put.json()]));
    let other = room.owner(&format!("PUT {IDENTITIES}/deploys"), json!({ "providerSubject": "x" })).await;
    assert!(other.status == 400 && other.message().contains("providerSubject"), "{}", other.message());
    assert_eq!(room.owner(&format!("DELETE {IDENTITIES}/deploys"), Value::Null).await.status, 204);
}
