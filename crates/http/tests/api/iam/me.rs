use super::installation::{Installation, members};
use serde_json::{Value, json};

const TOKENS: &str = "/v1/me/personal-access-tokens";

#[tokio::test]
async fn me_needs_no_organisation_and_ignores_both_headers() {
    let room = Installation::new().await;
    let headers = [("x-organisation-identity", "nothing-such"), ("x-project-identity", "nothing-such")];
    for url in ["/v1/me", "/v1/me/organisation-memberships", TOKENS] {
        let reply = room.send(&room.owner, &format!("GET {url}"), &headers, Value::Null).await;
        assert_eq!(reply.status, 200, "{url}: {}", reply.message());
        assert_eq!(room.call("unknown", &format!("GET {url}"), Value::Null).await.status, 401, "{url}");
    }
    let memberships = room.owner("GET /v1/me/organisation-memberships", Value::Null).await.json();
    let membership = &memberships.as_array().expect("a list")[0];
    assert_eq!(members(membership), ["createdAt", "identity", "organisation", "role", "user"]);
    assert_eq!(members(&membership["organisation"]), ["createdAt", "identity", "name", "objectVersion", "slug"]);
    assert_eq!(members(&membership["user"]), ["createdAt", "name", "subject"]);
    assert_eq!(membership["role"], "OWNER");
    let me = room.owner("GET /v1/me", Value::Null).await.json();
    assert_eq!(members(&me), ["credential", "identity", "name", "organisations", "scopes", "type"]);
    assert_eq!((&me["type"], &me["scopes"]), (&json!("user"), &json!(["api:read", "api:write"])));
    let organisation = &membership["organisation"];
    let expected = json!({ "identity": organisation["identity"], "name": "Dev", "slug": "dev", "role": "OWNER" });
    assert_eq!(me["organisations"], json!([expected]));
}

#[tokio::test]
async fn personal_access_tokens_on_the_wire() {
    let room = Installation::new().await;
    let end = "2030-01-01T01:00:00+01:00";
    let body = json!({ "name": "laptop", "scopes": ["api:read"], "expiresAt": end });
    let made = room.owner(&format!("POST {TOKENS}"), body).await;
    assert_eq!((made.status, made.header("cache-control")), (201, "no-store"), "{}", made.message());
    let mut made = made.json();
    assert_eq!(members(&made), ["createdAt", "expiresAt", "identity", "name", "scopes", "token"]);
    assert_eq!((&made["expiresAt"], &made["scopes"]), (&json!(end), &json!(["api:read"])));
    let token = made["token"].as_str().expect("a token").to_owned();
    assert!(token.starts_with("tc_pat_"));
    let id = made["identity"].as_str().expect("an identity").to_owned();
    made.as_object_mut().expect("an object").remove("token");
    assert_eq!(room.owner(&format!("GET {TOKENS}?identity={id}"), Value::Null).await.json(), json!([made]));

    assert_eq!(room.call(&token, "GET /v1/me", Value::Null).await.json()["scopes"], json!(["api:read"]));
    let refused = room.call(&token, &format!("POST {TOKENS}"), json!({ "name": "a" })).await;
    assert_eq!(refused.verdict(), (403, "insufficient_scope".to_owned()));
    for (body, code) in [
        (json!({ "scopes": [] }), "invalid_request"),
        (json!({ "name": "a", "scopes": ["admin"] }), "invalid_request"),
        (json!({ "name": "a", "expiresAt": "tomorrow" }), "invalid_request"),
        (json!({ "name": "a", "expiresAt": "2001-01-01T00:00:00Z" }), "invalid_request"),
    ] {
        assert_eq!(
            room.owner(&format!("POST {TOKENS}"), body.clone()).await.verdict(),
            (400, code.to_owned()),
            "{body}"
        );
    }
    let failed = room.records().await;
    let failed = failed.last().expect("a record");
    assert_eq!((failed.action.as_str(), failed.status), ("iam.personal_token.create", 400));
    assert!(failed.organisation.is_some(), "the only one of the caller");
    let bare = room.owner(&format!("POST {TOKENS}"), json!({ "name": "a", "scopes": null, "expiresAt": "" })).await;
    assert_eq!(members(&bare.json()), ["createdAt", "identity", "name", "token"]);

    assert_eq!(room.owner(&format!("DELETE {TOKENS}/{id}"), Value::Null).await.status, 204);
    assert_eq!(room.call(&token, "GET /v1/me", Value::Null).await.verdict(), (401, "unauthenticated".to_owned()));
    let again = room.owner(&format!("DELETE {TOKENS}/{id}"), Value::Null).await;
    assert_eq!(again.verdict(), (404, "object_not_found".to_owned()));
    let said = room.records().await;
    let said: Vec<_> = said.iter().filter_map(|record| record.resource.as_ref()).map(|it| &it.identity).collect();
    assert!(said.iter().all(|text| !text.contains("tc_pat_")), "a token is in no record");
}
