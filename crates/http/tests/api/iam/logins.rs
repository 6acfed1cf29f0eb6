//! Users who log in through an issuer that the operator trusts, by its signed tokens.

use super::installation::{Installation, START};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::sync::Arc;
use strongroom_auth::{FetchError, JwksFetcher, LoginIssuer};
use strongroom_crypto::Ed25519Signer;
use strongroom_domain::audit::Action;

const ISSUER: &str = "https://login.example";
const KEYS: &str = "https://login.example/keys";

/// What an issuer publishes.
struct Published(Value);

#[async_trait]
impl JwksFetcher for Published {
    async fn fetch(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        if url == KEYS { Ok(self.0.to_string().into_bytes()) } else { Err(FetchError(format!("{url} is not there"))) }
    }
}

fn key(seed: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(&[seed; 32]).expect("a seed")
}

async fn room() -> Installation {
    let public = URL_SAFE_NO_PAD.encode(key(1).public_key());
    let jwks = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "a", "x": public }] });
    let login =
        LoginIssuer { issuer: ISSUER.to_owned(), audience: "strongroom".to_owned(), jwks_uri: Some(KEYS.to_owned()) };
    Installation::trusting(Arc::new(Published(jwks)), vec![login]).await
}

fn token(key: &Ed25519Signer, subject: &str, audience: &str) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({
        "iss": ISSUER, "sub": subject, "aud": audience, "exp": START.as_micros() / 1_000_000 + 3600, "name": "Zoë",
        "email": "zoe@example.test",
    });
    let signed = format!("{}.{}", part(json!({ "alg": "EdDSA", "kid": "a" })), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[tokio::test]
async fn who_logs_in_first_is_known_and_a_member_once_an_owner_adds_them() {
    let room = room().await;
    let zoe = token(&key(1), "zoe", "strongroom");
    for forged in [token(&key(2), "zoe", "strongroom"), token(&key(1), "zoe", "other")] {
        let refused = room.call(&forged, "GET /v1/me", Value::Null).await;
        assert_eq!(refused.verdict(), (401, "unauthenticated".to_owned()));
    }
    let roles = "GET /v1/iam/roles";
    assert_eq!(room.call(&zoe, roles, Value::Null).await.status, 403, "a member of nothing");
    let me = room.call(&zoe, "GET /v1/me", Value::Null).await;
    assert_eq!((me.status, &me.json()["name"]), (200, &json!("Zoë")), "{}", me.message());
    let id = me.json()["identity"].as_str().expect("an identity").to_owned();
    let made = room.records().await.into_iter().filter(|record| record.action == Action::IamUserCreate);
    let made: Vec<_> = made.filter_map(|record| record.principal.map(|principal| principal.to_string())).collect();
    assert_eq!(made.iter().filter(|principal| **principal == id).count(), 1, "{made:?}");

    let added = room.owner("POST /v1/memberships", json!({ "userIdentity": id })).await;
    assert_eq!(added.status, 201, "{}", added.message());
    let own = room.call(&zoe, "GET /v1/me/organisation-memberships", Value::Null).await.json();
    assert_eq!(own.as_array().map(Vec::len), Some(1), "{own}");
    assert_eq!(room.call(&zoe, "GET /v1/regions", Value::Null).await.status, 200);
    let shown = room.owner(&format!("GET /v1/users/{id}"), Value::Null).await;
    assert_eq!((shown.status, &shown.json()["email"]), (200, &json!("zoe@example.test")));

    // Another subject is somebody else, who is not let in by this.
    let max = token(&key(1), "max", "strongroom");
    assert_eq!(room.call(&max, roles, Value::Null).await.status, 403);
    assert_ne!(room.call(&max, "GET /v1/me", Value::Null).await.json()["identity"], json!(id));
}
