mod bounds;
mod keys;

use super::{FetchRules, ForeignTokenVerifier, Keys};
use crate::test_support::{Documents, SECOND, START, TestClock, TestKey, micros, numeric_date, token_of};
use aws_lc_rs::hmac;
use serde_json::{Value, json};
use std::sync::Arc;
use strongroom_domain::document::Document;
use strongroom_domain::port::{Clock, ForeignClaims, ForeignTokenError, ForeignTokens};
use strongroom_domain::value::SecretBytes;

const ISSUER: &str = "https://issuer.example";
const URI: &str = "https://issuer.example/keys";

struct Case {
    documents: Arc<Documents>,
    clock: Arc<TestClock>,
    verifier: ForeignTokenVerifier,
}

impl Case {
    fn new() -> Self {
        let documents = Arc::new(Documents::default());
        let clock = Arc::new(TestClock::new());
        let verifier = ForeignTokenVerifier::new(documents.clone(), clock.clone(), FetchRules::default());
        Self { documents, clock, verifier }
    }

    /// With these keys published.
    fn publishing(keys: &[Value]) -> Self {
        let case = Self::new();
        case.publish(keys);
        case
    }

    fn publish(&self, keys: &[Value]) {
        self.documents.put(URI, &json!({ "keys": keys }));
    }

    async fn verify_by(&self, keys: Keys<'_>, token: &SecretBytes) -> Result<ForeignClaims, ForeignTokenError> {
        self.verifier.verify_by(keys, token, self.clock.now()).await
    }

    async fn verify(&self, token: &SecretBytes) -> Result<ForeignClaims, ForeignTokenError> {
        self.verify_by(Keys { issuer: ISSUER, jwks_uri: Some(URI), local_jwks: None, organisation: None }, token).await
    }

    async fn refusal(&self, token: &SecretBytes) -> String {
        match self.verify(token).await {
            Err(ForeignTokenError::Refused(reason)) => reason,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("taken"),
        }
    }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "repo:a/b", "aud": ["c", "d"], "exp": numeric_date(600), "n": 1})
}

fn with(mut value: Value, name: &str, to: Value) -> Value {
    value[name] = to;
    value
}

fn without(mut value: Value, name: &str) -> Value {
    value.as_object_mut().expect("an object").remove(name);
    value
}

fn eddsa(id: &str) -> Value {
    json!({"alg": "EdDSA", "kid": id})
}

fn is_unavailable(answer: &Result<ForeignClaims, ForeignTokenError>) -> bool {
    matches!(answer, Err(ForeignTokenError::Unavailable(_)))
}

#[tokio::test]
async fn every_asymmetric_algorithm_is_taken() {
    let keys = [
        (TestKey::ed25519(1), &["EdDSA"][..]),
        (TestKey::p256(), &["ES256"]),
        (TestKey::p384(), &["ES384"]),
        (TestKey::rsa(), &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]),
    ];
    for (key, algorithms) in &keys {
        for algorithm in *algorithms {
            let said = with(key.jwk("a"), "alg", json!(algorithm));
            // One that doesn't say its algorithm has the first.
            let unsaid = (algorithms.first() == Some(algorithm)).then(|| key.jwk("a"));
            for jwk in unsaid.into_iter().chain([said]) {
                let case = Case::publishing(&[jwk]);
                let token = key.token(&json!({"alg": algorithm, "kid": "a"}), &claims());
                let claims = case.verify(&token).await.expect("taken");
                assert_eq!((claims.subject.as_str(), claims.audiences.len()), ("repo:a/b", 2));
                assert_eq!(claims.expires_at, micros(START + 600 * SECOND));
                assert_eq!(claims.claims.last(), Some(&("sub".to_owned(), Document::Text("repo:a/b".to_owned()))));
                assert_eq!(case.verifier.issuer(&token).as_deref(), Some(ISSUER));
                let nameless = key.token(&json!({"alg": algorithm}), &self::claims());
                assert!(case.verify(&nameless).await.is_ok(), "without `kid` {algorithm}");
            }
        }
    }
}

#[tokio::test]
async fn times_are_checked_with_a_minute_of_leeway() {
    let key = TestKey::ed25519(1);
    let case = Case::publishing(&[key.jwk("a")]);
    let token = |claims: Value| key.token(&eddsa("a"), &claims);
    for (name, seconds, taken) in [
        ("exp", -59, true),
        ("exp", -60, false),
        ("nbf", 60, true),
        ("nbf", 61, false),
        ("iat", 60, true),
        ("iat", 61, false),
    ] {
        let token = token(with(claims(), name, json!(numeric_date(seconds))));
        assert_eq!(case.verify(&token).await.is_ok(), taken, "{name} {seconds}");
    }
    assert!(case.refusal(&token(without(claims(), "exp"))).await.contains("exp"));
    for (name, value) in [("exp", json!("1900000000")), ("exp", json!(null)), ("nbf", json!("0")), ("iat", json!([]))] {
        let token = token(with(claims(), name, value));
        assert!(case.verify(&token).await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn the_issuer_is_compared_exactly() {
    let key = TestKey::ed25519(1);
    let case = Case::publishing(&[key.jwk("a")]);
    for issuer in [
        json!("https://issuer.example/"),
        json!("https://ISSUER.example"),
        json!("http://issuer.example"),
        json!("https://issuer.example "),
        json!(""),
        json!(null),
        json!([ISSUER]),
        json!([ISSUER, "https://other.example"]),
    ] {
        let token = key.token(&eddsa("a"), &with(claims(), "iss", issuer.clone()));
        assert!(case.refusal(&token).await.contains("iss"), "{issuer}");
    }
    assert_eq!(case.documents.fetches(), 0, "nothing is fetched for tokens of others");
    let token = key.token(&eddsa("a"), &without(claims(), "iss"));
    assert!(case.refusal(&token).await.contains("iss"));
}

#[tokio::test]
async fn forged_signatures_are_refused() {
    let (key, other) = (TestKey::ed25519(1), TestKey::ed25519(2));
    let case = Case::publishing(&[key.jwk("a")]);
    assert!(case.refusal(&other.token(&eddsa("a"), &claims())).await.contains("signature"));
    let own_key = with(eddsa("a"), "jwk", other.jwk("a"));
    assert!(case.refusal(&other.token(&own_key, &claims())).await.contains("signature"));

    let good = key.token(&eddsa("a"), &claims());
    assert!(case.verify(&good).await.is_ok());
    for place in (0..good.len()).step_by(7) {
        let mut bytes = good.expose().to_vec();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let answer = case.verify(&SecretBytes::copy_of(&bytes)).await;
        assert!(answer.is_err(), "byte {place}");
    }
    for cut in ["", ".", "..", "a.b.c"] {
        assert!(case.verify(&SecretBytes::copy_of(cut.as_bytes())).await.is_err());
    }
}

#[tokio::test]
async fn none_and_symmetric_algorithms_are_refused() {
    let key = TestKey::rsa();
    let jwk = key.jwk("a");
    let case = Case::publishing(&[jwk.clone(), json!({"kty": "oct", "kid": "b", "k": "c2VjcmV0"})]);
    for algorithm in ["none", "None", "NONE", "nOnE", ""] {
        let header = json!({"alg": algorithm, "kid": "a"});
        assert!(case.verify(&token_of(&header, &claims(), |_| Vec::new())).await.is_err(), "{algorithm}");
        assert!(case.verify(&key.token(&header, &claims())).await.is_err(), "{algorithm}");
    }
    let public = data_encoding::BASE64URL_NOPAD.decode(jwk["n"].as_str().expect("text").as_bytes()).expect("base64");
    let secrets = [public, jwk.to_string().into_bytes(), jwk["n"].to_string().into_bytes(), b"secret".to_vec()];
    for (secret, id) in secrets.iter().zip(["a", "a", "a", "b"]) {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let sign = |message: &[u8]| hmac::sign(&secret, message).as_ref().to_vec();
        let token = token_of(&json!({"alg": "HS256", "kid": id}), &claims(), sign);
        assert!(case.refusal(&token).await.contains("symmetric"));
    }
}

#[tokio::test]
async fn a_key_verifies_only_by_its_own_algorithm() {
    let key = TestKey::rsa();
    let case = Case::publishing(&[with(key.jwk("a"), "alg", json!("RS256"))]);
    assert!(case.verify(&key.token(&json!({"alg": "RS256", "kid": "a"}), &claims())).await.is_ok());
    for algorithm in ["PS256", "RS512"] {
        let token = key.token(&json!({"alg": algorithm, "kid": "a"}), &claims());
        assert!(case.refusal(&token).await.contains("no such key"), "{algorithm}");
    }
    let token = key.token(&json!({"alg": "RS256", "kid": "a", "crit": ["exp"]}), &claims());
    assert!(case.refusal(&token).await.contains("crit"));
}

#[tokio::test]
async fn a_token_of_a_megabyte_is_refused_unparsed() {
    let key = TestKey::ed25519(1);
    let case = Case::publishing(&[key.jwk("a")]);
    let token = key.token(&eddsa("a"), &with(claims(), "x", json!("x".repeat(1 << 20))));
    assert!(case.refusal(&token).await.contains("16 KiB"));
    assert_eq!(case.verifier.issuer(&token), None);
    assert_eq!(case.documents.fetches(), 0);
}

#[tokio::test]
async fn a_subject_is_needed_and_audiences_are_texts() {
    let key = TestKey::ed25519(1);
    let case = Case::publishing(&[key.jwk("a")]);
    for claims in [
        without(claims(), "sub"),
        with(claims(), "sub", json!("")),
        with(claims(), "sub", json!(1)),
        with(claims(), "aud", json!([1])),
    ] {
        assert!(case.verify(&key.token(&eddsa("a"), &claims)).await.is_err(), "{claims}");
    }
    assert!(case.verify(&key.token(&eddsa("a"), &without(claims(), "aud"))).await.expect("taken").audiences.is_empty());
}

#[test]
fn what_is_set_up_is_checked() {
    let verifier = Case::new().verifier;
    let local = json!({"keys": [TestKey::ed25519(1).jwk("a")]}).to_string();
    let check = |local: Option<&str>, uri: Option<&str>, issuer: &str| verifier.check(local, uri, issuer);
    assert_eq!(check(None, None, ISSUER), Ok(()));
    assert_eq!(check(None, Some(URI), "anything"), Ok(()));
    assert_eq!(check(Some(&local), None, "anything"), Ok(()));
    for (local, uri, issuer, field) in [
        (None, None, "http://issuer.example", "`providerIssuer`"),
        (None, None, "issuer", "`providerIssuer`"),
        (None, Some("http://issuer.example/keys"), ISSUER, "`providerJwksUri`"),
        (None, Some("https://user:word@issuer.example/keys"), ISSUER, "`providerJwksUri`"),
        (None, Some("https://169.254.169.254/keys"), ISSUER, "`providerJwksUri`"),
        (Some("{}"), None, ISSUER, "`localJwks`"),
        (Some(r#"{"keys":[]}"#), None, ISSUER, "`localJwks`"),
        (Some(r#"{"keys":[{"kty":"oct","k":"AA"}]}"#), None, ISSUER, "`localJwks`"),
        (Some(local.as_str()), Some("ftp://issuer.example"), ISSUER, "`providerJwksUri`"),
    ] {
        let error = check(local, uri, issuer).expect_err("refused");
        assert!(error.contains(field), "{error}");
    }
}
