use super::installation::{Installation, members};
use serde_json::{Value, json};

#[tokio::test]
async fn a_service_account_on_the_wire() {
    let room = Installation::new().await;
    let body = json!({ "name": "Order service", "description": null, "labels": { "team": "a" }, "x": 1 });
    let made = room.owner("POST /v1/service-accounts", body).await;
    assert_eq!(made.status, 201, "{}", made.message());
    let made = made.json();
    assert_eq!(
        members(&made),
        ["createdAt", "createdBy", "identity", "labels", "name", "objectVersion", "roleBindings", "slug"]
    );
    assert_eq!((&made["slug"], &made["roleBindings"]), (&json!("order-service"), &json!([])));
    assert_eq!(members(&made["createdBy"]), ["createdAt", "name", "subject"]);
    let id = made["identity"].as_str().expect("an identity");

    let roles = room.owner("GET /v1/iam/roles?name=secrets:ReadAccess", Value::Null).await.json();
    let role = roles[0]["identity"].as_str().expect("an identity");
    let bind = json!({ "name": "reads", "serviceAccountIdentity": id, "userIdentity": null, "scopes": null });
    assert_eq!(room.owner(&format!("POST /v1/iam/roles/{role}/bindings"), bind).await.status, 201);
    let shown = room.owner("GET /v1/service-accounts/order-service", Value::Null).await.json();
    assert_eq!(shown["roleBindings"][0]["organisationRole"]["identity"], role);
    assert_eq!(shown["roleBindings"][0]["organisationRole"].get("rules"), None);
    for (query, found) in [
        ("", 1),
        ("?name=Order%20service&slug=", 1),
        ("?matchLabels[team]=a", 1),
        ("?matchLabels[team]=b", 0),
        ("?identity=sa-x", 0),
    ] {
        let list = room.owner(&format!("GET /v1/service-accounts{query}"), Value::Null).await.json();
        assert_eq!(list.as_array().map(Vec::len), Some(found), "{query}");
    }
    let put = room.owner(&format!("PUT /v1/service-accounts/{id}"), json!({ "name": "Orders" })).await;
    assert_eq!((put.status, &put.json()["name"], &put.json()["labels"]), (200, &json!("Orders"), &made["labels"]));
    assert_eq!(put.json(), room.owner(&format!("GET /v1/service-accounts/{id}"), Value::Null).await.json());

    let deleted = room.owner(&format!("DELETE /v1/service-accounts/{id}"), Value::Null).await;
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    let gone = room.owner(&format!("GET /v1/service-accounts/{id}"), Value::Null).await;
    assert_eq!(gone.verdict(), (404, "object_not_found".to_owned()));
    assert_eq!(room.owner(&format!("GET /v1/iam/roles/{role}/bindings"), Value::Null).await.json(), json!([]));
}

#[tokio::test]
async fn an_access_credential_on_the_wire() {
    let room = Installation::new().await;
    room.owner("POST /v1/service-accounts", json!({ "name": "App" })).await;
    let all = "/v1/service-accounts/app/access-credentials";
    let body =
        json!({ "name": "", "description": "", "expiresAt": "2030-01-01T02:00:00+02:00", "scopes": ["api:read"] });
    let made = room.owner(&format!("POST {all}"), body).await;
    assert_eq!((made.status, made.header("cache-control")), (201, "no-store"), "{}", made.message());
    let made = made.json();
    assert_eq!(members(&made), ["accessKey", "accessSecret", "identity", "scopes"]);
    let listed = room.owner(&format!("GET {all}"), Value::Null).await.json();
    assert_eq!(members(&listed[0]), ["accessKey", "createdAt", "expiresAt", "identity", "name", "scopes"]);
    assert_eq!(listed[0]["expiresAt"], "2030-01-01T02:00:00+02:00");
    assert_eq!((&listed[0]["accessKey"], &listed[0]["name"]), (&made["accessKey"], &json!("")));
    let other = room.owner(&format!("POST {all}"), json!({ "name": "Night shift" })).await.json();
    let (first, second) = (&made["identity"], &other["identity"]);
    let text = |identity: &Value| identity.as_str().expect("an identity").to_owned();
    for (query, found) in [
        (String::new(), vec![first, second]),
        ("?name=Night%20shift".to_owned(), vec![second]),
        ("?name=night%20shift".to_owned(), vec![]),
        ("?name=Night".to_owned(), vec![]),
        (format!("?identity={}", text(first)), vec![first]),
        (format!("?identity={}&name=Night%20shift", text(second)), vec![second]),
        (format!("?identity={}&name=Night%20shift", text(first)), vec![]),
        ("?identity=nothing-such".to_owned(), vec![]),
    ] {
        let list = room.owner(&format!("GET {all}{query}"), Value::Null).await.json();
        let list = list.as_array().expect("a list");
        let mut listed: Vec<_> = list.iter().map(|it| text(&it["identity"])).collect();
        let mut found: Vec<_> = found.into_iter().map(text).collect();
        listed.sort_unstable();
        found.sort_unstable();
        assert_eq!(listed, found, "{query}");
    }
    for scopes in [Value::Null, json!([])] {
        let both = room.owner(&format!("POST {all}"), json!({ "name": "b", "scopes": scopes })).await.json();
        assert_eq!(members(&both), ["accessKey", "accessSecret", "identity"]);
    }
    for (body, field) in [
        (json!({ "name": "a", "scopes": ["admin"] }), "`scopes`"),
        (json!({ "name": "a", "expiresAt": "tomorrow" }), "`expiresAt`"),
        (json!({ "name": "a", "expiresAt": "2001-01-01T00:00:00Z" }), "`expiresAt`"),
        (json!({ "name": 5 }), "`name`"),
    ] {
        let refused = room.owner(&format!("POST {all}"), body).await;
        assert_eq!(refused.verdict(), (400, "invalid_request".to_owned()));
        assert!(refused.message().contains(field), "{}", refused.message());
    }
    let one = format!("DELETE {all}/{}", made["identity"].as_str().expect("an identity"));
    assert_eq!(room.owner(&one, Value::Null).await.status, 204);
    assert_eq!(room.owner(&one, Value::Null).await.verdict(), (404, "object_not_found".to_owned()));
}
