//! A secret's life as its answers tell it.

use crate::support::{NOBODY, READER, Room};
use serde_json::{Value, json};

#[tokio::test]
async fn from_first_to_last() {
    let room = Room::new().await;
    let body = json!({
        "path": "/app/prod/db", "kmsKeyIdentity": room.key, "description": "Database", "labels": { "team": "a" },
        "annotations": { "note": "n" }, "secretKeyValues": { "user": "YQ==", "password": "Yg==" },
        "accessPolicy": { "statements": [{ "effect": "Deny", "actions": ["put"], "principals": ["user:nobody"] }] },
    });
    let created = room.admin("POST /v1/secrets/nl-01/secrets", body.clone()).await;
    assert_eq!(created.status, 201, "{}", created.message());
    let secret = created.json();
    for member in ["path", "description", "labels", "annotations", "accessPolicy"] {
        assert_eq!(secret[member], body[member], "{member}");
    }
    assert_eq!((&secret["currentVersion"], &secret["objectVersion"]), (&json!(1), &json!(1)));
    assert_eq!(secret["kmsKey"]["identity"], json!(room.key));
    let mut members: Vec<_> = secret["kmsKey"].as_object().expect("an object").keys().cloned().collect();
    members.sort();
    assert_eq!(members, ["identity", "keyType", "name", "slug", "status"]);
    assert_eq!(secret["region"]["slug"], "nl-01");
    assert_eq!(secret["createdAt"], secret["updatedAt"]);
    assert_eq!(secret.get("lastAccessedAt"), None);

    assert_eq!(room.admin("POST /v1/secrets/nl-01/secrets", body).await.verdict(), (409, "secret_exists".to_owned()));
    let revealed = room.admin("POST /v1/secrets/nl-01/secret/app/prod/db/value", Value::Null).await;
    assert_eq!(
        revealed.json(),
        json!({
            "path": "/app/prod/db", "version": 1, "secretKeyValues": { "password": "Yg==", "user": "YQ==" },
            "kmsKeyIdentity": room.key, "kmsKeyVersion": "1",
        })
    );
    assert_eq!(revealed.header("cache-control"), "no-store");
    let read = room.get("/v1/secrets/nl-01/secret/app/prod/db").await;
    assert_eq!(read.header("cache-control"), "");
    assert!(!String::from_utf8_lossy(&read.body).contains("YQ=="));

    let gone = room.admin("DELETE /v1/secrets/nl-01/secret/app/prod/db", Value::Null).await;
    assert_eq!((gone.status, gone.body.len()), (204, 0));
    assert_eq!(
        room.admin("DELETE /v1/secrets/nl-01/secret/app/prod/db", Value::Null).await.verdict(),
        (404, "secret_not_found".to_owned())
    );
    room.secret("/app/prod/db").await;
    assert_eq!(room.get("/v1/secrets/nl-01/secret/app/prod/db").await.json()["currentVersion"], 1);
}

#[tokio::test]
async fn keys_are_named_by_identity_only() {
    let room = Room::new().await;
    for key in ["app-key", "App key", "kms-00000000000000000000000000", "", "x"] {
        let body = json!({ "path": "/a", "kmsKeyIdentity": key, "secretString": "" });
        let reply = room.admin("POST /v1/secrets/nl-01/secrets", body).await;
        assert_eq!(reply.verdict(), (404, "kms_key_not_found".to_owned()), "{key}");
    }
    let missing = room.admin("POST /v1/secrets/nl-01/secrets", json!({ "path": "/a", "secretString": "" })).await;
    assert_eq!((missing.status, missing.message().as_str()), (400, "`kmsKeyIdentity` is missing."));
}

#[tokio::test]
async fn keys_and_policies_stand_in_the_way() {
    let room = Room::new().await;
    room.secret("/app/prod/a").await;
    let reveal = "POST /v1/secrets/nl-01/secret/app/prod/a/value";
    assert_eq!(room.call(READER, reveal, Value::Null).await.verdict(), (403, "kms_key_forbidden".to_owned()));
    assert_eq!(room.call(NOBODY, reveal, Value::Null).await.verdict(), (403, "forbidden".to_owned()));
    let deny = json!({ "accessPolicy": { "denied": [{ "type": "ip", "ips": ["192.0.2.0/24"] }] } });
    assert_eq!(room.admin("PUT /v1/secrets/nl-01/secret/app/prod/a/policy", deny).await.status, 200);
    assert_eq!(room.admin(reveal, Value::Null).await.verdict(), (403, "access_policy_denied".to_owned()));
    let put = room.admin("POST /v1/secrets/nl-01/secret/app/prod/a/versions", json!({ "secretString": "" })).await;
    assert_eq!(put.verdict(), (403, "access_policy_denied".to_owned()));
    // Only trusted proxies could tell another address.
    let forged =
        [("authorization", "Bearer admin"), ("x-forwarded-for", "198.51.100.1"), ("x-real-ip", "198.51.100.1")];
    assert_eq!(room.raw(reveal, &forged, "").await.status, 403);
    assert_eq!(room.get("/v1/secrets/nl-01/secret/app/prod/a").await.status, 200);
    let clear = json!({ "accessPolicy": null });
    assert_eq!(room.admin("PUT /v1/secrets/nl-01/secret/app/prod/a/policy", clear).await.status, 200);
    assert_eq!(room.admin(&format!("POST /v1/kms/nl-01/keys/{}/disable", room.key), Value::Null).await.status, 200);
    assert_eq!(room.admin(reveal, Value::Null).await.verdict(), (400, "kms_key_unusable".to_owned()));
    assert_eq!(room.get("/v1/secrets/nl-01/secret/app/prod/a").await.json()["kmsKey"]["status"], "disabled");
}

#[tokio::test]
async fn plain_values_when_the_operator_allows_them() {
    let settings = strongroom_http::Settings { plain_values: true, ..Default::default() };
    let room = Room::with(settings).await;
    let body = json!({ "path": "/a", "kmsKeyIdentity": room.key, "secretKeyValues": { "user": "jörg \"j\"", "code": "YQ==" } });
    assert_eq!(room.admin("POST /v1/secrets/nl-01/secrets", body).await.status, 201);
    let values =
        room.admin("POST /v1/secrets/nl-01/secret/a/value", Value::Null).await.json()["secretKeyValues"].clone();
    assert_eq!(values, json!({ "user": "asO2cmcgImoi", "code": "YQ==" }));
}
