use super::installation::{Installation, members};
use crate::support::assert_error;
use http::StatusCode;
use serde_json::{Value, json};

const EXPLAIN: &str = "POST /v1/iam/explain";

#[tokio::test]
async fn an_explanation_on_the_wire() {
    let room = Installation::new().await;
    let (zoe, token) = room.user("Zoë").await;
    let team = room.owner("POST /v1/teams", json!({ "name": "Backend" })).await.json();
    room.owner("POST /v1/teams/backend/members", json!({ "userIdentity": zoe })).await;
    let role = room.owner("POST /v1/iam/roles", json!({ "name": "Staging" })).await.json();
    let rule = json!({ "resources": ["team"], "resourceIdentities": ["backend"], "permissions": ["read"] });
    assert_eq!(room.owner("POST /v1/iam/roles/staging/rules", rule).await.status, 201);
    let binding = json!({ "name": "b", "teamIdentity": team["identity"] });
    let binding = room.owner("POST /v1/iam/roles/staging/bindings", binding).await.json();

    let pair = |object: &Value| json!({ "identity": object["identity"], "name": object["name"] });
    let read =
        json!({ "operation": "iam.team.read", "identity": team["identity"], "region": null, "path": "", "x": 1 });
    let allowed = room.call(&token, EXPLAIN, read).await;
    assert_eq!(allowed.status, 200, "{}", allowed.message());
    let allowed = allowed.json();
    assert_eq!(members(&allowed), ["allowed", "message", "operation", "principal", "rule", "stage"]);
    assert_eq!((&allowed["allowed"], &allowed["stage"]), (&json!(true), &json!("iam")));
    let rule = &allowed["rule"];
    assert_eq!(members(rule), ["binding", "identity", "owner", "role", "team"]);
    assert_eq!(rule["owner"], json!(false));
    assert_eq!((&rule["role"], &rule["binding"], &rule["team"]), (&pair(&role), &pair(&binding), &pair(&team)));

    let delete = json!({ "principal": zoe, "operation": "iam.team.delete", "identity": team["identity"] });
    let denied = room.owner(EXPLAIN, delete).await.json();
    assert_eq!(members(&denied), ["allowed", "message", "needed", "operation", "principal", "remedy", "stage"]);
    assert_eq!(
        denied["needed"],
        json!({ "resource": "team", "anyOf": ["delete"], "resourceIdentity": team["identity"] })
    );
    let list = json!({ "principal": zoe, "operation": "iam.team.list" });
    let near = room.owner(EXPLAIN, list).await.json()["nearMisses"].clone();
    assert_eq!(members(&near[0]), ["binding", "differsIn", "has", "message", "role", "rule", "team"]);
    assert_eq!((&near[0]["differsIn"], &near[0]["has"]), (&json!("permissions"), &json!(["read"])));
    let owner = room.owner(EXPLAIN, json!({ "operation": "iam.team.list" })).await.json();
    assert_eq!(members(&owner["rule"]), ["identity", "owner"]);

    let refused = room.call(&token, "DELETE /v1/teams/backend", Value::Null).await;
    assert_eq!(refused.status, 403);
    let asked = json!({ "requestId": refused.json()["requestId"] });
    let explained = room.call(&token, EXPLAIN, asked).await.json();
    assert_eq!(members(&explained["deniedCall"]), ["at", "decidedBy", "requestId"]);
    assert_eq!(explained["deniedCall"]["requestId"], refused.json()["requestId"]);
    assert_eq!(explained["allowed"], json!(false));
}

#[tokio::test]
async fn what_is_asked_is_checked() {
    let room = Installation::new().await;
    let (zoe, token) = room.user("Zoë").await;
    let path = |path: &str| json!({ "operation": "secret.read", "path": path, "region": "nl-01" });
    for (body, status, says) in [
        (json!({}), 400, "`operation`"),
        (json!({ "operation": "secret.steal" }), 400, "`operation`"),
        (json!({ "operation": "iam.user.create" }), 400, "can't be explained"),
        (json!({ "operation": "secret.read", "region": "nl-01" }), 400, "`path`"),
        (path("no path"), 400, ""),
        (json!({ "operation": "secret.read", "path": "/a" }), 400, "`region`"),
        (json!({ "operation": "kms.read", "region": "r", "kmsKeyIdentity": "slug" }), 404, "`kmsKeyIdentity`"),
        (json!({ "operation": "iam.role.read", "identity": "owner" }), 404, "`identity`"),
        (json!({ "operation": "iam.role.list", "principal": "zoe" }), 404, "`principal`"),
        (json!({ "operation": "iam.role.list", "sourceAddress": "10.0.0.1:80" }), 400, "`sourceAddress`"),
        (json!({ "operation": "iam.role.list", "at": "noon" }), 400, "`at`"),
        (json!({ "requestId": "req-x", "operation": "iam.role.list" }), 400, "`requestId`"),
        (json!({ "requestId": "req-x" }), 404, "`requestId`"),
    ] {
        let refused = room.owner(EXPLAIN, body.clone()).await;
        assert_eq!(refused.status, status, "{body}: {}", refused.message());
        assert!(refused.message().contains(says), "{body}: {}", refused.message());
    }
    let others = json!({ "principal": zoe.replace("u-", "sa-"), "operation": "iam.role.list" });
    assert_error(&room.call(&token, EXPLAIN, others).await, StatusCode::FORBIDDEN, "forbidden");
    let records = room.records().await;
    let last = records.last().expect("a record");
    assert_eq!((last.action.as_str(), last.outcome.as_str()), ("iam.explain", "denied"));
}

#[tokio::test]
async fn a_credential_that_only_reads_may_ask() {
    let room = Installation::new().await;
    let body = json!({ "name": "reader", "scopes": ["api:read"] });
    let token = room.owner("POST /v1/me/personal-access-tokens", body).await.json();
    let token = token["token"].as_str().expect("a token");
    let asked = room.call(token, EXPLAIN, json!({ "operation": "iam.role.list" })).await;
    assert_eq!((asked.status, &asked.json()["allowed"]), (200, &json!(true)));
}
