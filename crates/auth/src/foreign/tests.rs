mod bounds;

use super::{FetchRules, ForeignTokenVerifier, Keys};
use crate::test_support::{Documents, SECOND, START, TestClock, TestKey, micros, numeric_date, token_of};
use aws_lc_rs::hmac;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
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

#[tokio::test]
async fn a_flood_of_unknown_keys_costs_nothing() {
    let key = TestKey::ed25519(1);
    let case = Case::publishing(&[key.jwk("a")]);
    for round in 1..=3 {
        for id in 0..500 {
            assert!(case.verify(&key.token(&eddsa(&format!("unknown {id}")), &claims())).await.is_err());
        }
        assert_eq!(case.documents.fetches(), round);
        case.clock.pass(60);
    }
    assert!(case.verify(&key.token(&eddsa("a"), &claims())).await.is_ok());
    assert_eq!(case.documents.fetches(), 3);
}

#[tokio::test]
async fn a_new_key_is_seen_within_a_minute_and_an_old_one_goes_after_ten() {
    let (old, new) = (TestKey::ed25519(1), TestKey::ed25519(2));
    let case = Case::publishing(&[old.jwk("old")]);
    let claims = with(claims(), "exp", json!(numeric_date(100_000)));
    let (old_token, new_token) = (old.token(&eddsa("old"), &claims), new.token(&eddsa("new"), &claims));
    assert!(case.verify(&old_token).await.is_ok());
    case.publish(&[old.jwk("old"), new.jwk("new")]);
    case.clock.pass(59);
    assert!(case.verify(&new_token).await.is_err());
    case.clock.pass(1);
    assert!(case.verify(&new_token).await.is_ok());
    case.publish(&[new.jwk("new")]);
    case.clock.pass(599);
    assert!(case.verify(&old_token).await.is_ok());
    assert_eq!(case.documents.fetches(), 2);
    case.clock.pass(1);
    assert!(case.verify(&old_token).await.is_err());
    assert_eq!(case.documents.fetches(), 3);
}

#[tokio::test]
async fn last_keys_serve_a_day_while_the_issuer_is_out_of_reach() {
    let key = TestKey::ed25519(1);
    let case = Case::publishing(&[key.jwk("a")]);
    let token = key.token(&eddsa("a"), &with(claims(), "exp", json!(numeric_date(1_000_000))));
    assert!(case.verify(&token).await.is_ok());
    case.documents.clear();
    case.clock.pass(600);
    for _ in 0..100 {
        assert!(case.verify(&token).await.is_ok());
    }
    assert_eq!(case.documents.fetches(), 2);
    case.clock.pass(86_399 - 600);
    assert!(case.verify(&token).await.is_ok());
    case.clock.pass(1);
    assert!(is_unavailable(&case.verify(&token).await));
    case.clock.pass(60);
    case.documents.put(URI, &json!({"keys": vec![key.jwk("a"); 65]}));
    assert!(is_unavailable(&case.verify(&token).await), "a set that is refused is none");
}

#[tokio::test]
async fn an_issuer_without_keys_is_asked_every_ten_seconds() {
    let key = TestKey::ed25519(1);
    let case = Case::new();
    let token = key.token(&eddsa("a"), &claims());
    for round in 1..=3 {
        for _ in 0..100 {
            assert!(is_unavailable(&case.verify(&token).await));
        }
        assert_eq!(case.documents.fetches(), round);
        case.clock.pass(10);
    }
    case.publish(&[key.jwk("a")]);
    assert!(case.verify(&token).await.is_ok());
}

#[tokio::test]
async fn many_at_once_fetch_once() {
    let key = TestKey::ed25519(1);
    let case = Arc::new(Case::publishing(&[key.jwk("a")]));
    case.documents.hold(URI);
    let token = Arc::new(key.token(&eddsa("a"), &claims()));
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let (case, token) = (Arc::clone(&case), Arc::clone(&token));
            tokio::spawn(async move { case.verify(&token).await.is_ok() })
        })
        .collect();
    while case.documents.fetches() == 0 {
        tokio::task::yield_now().await;
    }
    case.documents.release();
    let mut taken = 0;
    for call in calls {
        taken += usize::from(call.await.expect("ends"));
    }
    // The one who fetches, and those who wait; the others went away at once.
    assert_eq!((taken, case.documents.fetches()), (1 + super::source::MAX_WAITERS, 1));
}

#[tokio::test]
async fn a_slow_issuer_holds_up_nobody_else() {
    let key = TestKey::ed25519(1);
    let case = Arc::new(Case::publishing(&[key.jwk("a")]));
    let slow = "https://slow.example/keys";
    case.documents.hold(slow);
    let token = Arc::new(key.token(&eddsa("a"), &claims()));
    let waiting = {
        let (case, token) = (Arc::clone(&case), Arc::clone(&token));
        let keys = Keys { issuer: ISSUER, jwks_uri: Some(slow), local_jwks: None, organisation: None };
        tokio::spawn(async move { case.verify_by(keys, &token).await.is_ok() })
    };
    while case.documents.fetches() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(case.verify(&token).await.is_ok());
    assert!(!waiting.is_finished());
    // Whoever asked goes away; the fetch goes on, and the next one has its keys.
    waiting.abort();
    case.documents.put(slow, &json!({"keys": [key.jwk("a")]}));
    case.documents.release();
    let keys = Keys { issuer: ISSUER, jwks_uri: Some(slow), local_jwks: None, organisation: None };
    assert!(case.verify_by(keys, &token).await.is_ok());
    assert_eq!(case.documents.fetches(), 2);
}

#[tokio::test]
async fn an_issuer_that_never_answers_is_given_up() {
    let key = TestKey::ed25519(1);
    let case = Case::publishing(&[key.jwk("a")]);
    case.documents.hold(URI);
    case.clock.waits_end.store(true, Ordering::SeqCst);
    match case.verify(&key.token(&eddsa("a"), &claims())).await {
        Err(ForeignTokenError::Unavailable(text)) => assert!(text.contains("did not answer in 5 seconds"), "{text}"),
        other => panic!("{:?}", other.map(|_| ())),
    }
}

#[tokio::test]
async fn keys_are_discovered_when_the_document_is_the_issuers() {
    let key = TestKey::ed25519(1);
    let token = key.token(&eddsa("a"), &claims());
    let discovered = Keys { issuer: ISSUER, jwks_uri: None, local_jwks: None, organisation: None };
    for (document, taken) in [
        (json!({"issuer": ISSUER, "jwks_uri": URI}), true),
        (json!({"issuer": "https://issuer.example/", "jwks_uri": URI}), false),
        (json!({"issuer": "https://other.example", "jwks_uri": URI}), false),
        (json!({"issuer": ISSUER, "jwks_uri": "http://issuer.example/keys"}), false),
        (json!({"issuer": ISSUER, "jwks_uri": "https://127.0.0.1/keys"}), false),
        (json!({"issuer": ISSUER}), false),
        (json!([]), false),
    ] {
        let case = Case::publishing(&[key.jwk("a")]);
        case.documents.put("https://issuer.example/.well-known/openid-configuration", &document);
        let answer = case.verify_by(discovered, &token).await;
        assert_eq!(answer.is_ok(), taken, "{document}");
        assert_eq!(is_unavailable(&answer), !taken);
        assert_eq!(case.documents.fetches(), if taken { 2 } else { 1 }, "{document}");
    }
}

#[tokio::test]
async fn keys_given_by_hand_are_not_fetched() {
    let key = TestKey::ed25519(1);
    let case = Case::new();
    let local = json!({"keys": [key.jwk("a")]}).to_string();
    let keys = Keys { issuer: ISSUER, jwks_uri: Some(URI), local_jwks: Some(&local), organisation: None };
    for _ in 0..2 {
        assert!(case.verify_by(keys, &key.token(&eddsa("a"), &claims())).await.is_ok());
    }
    assert!(case.verify_by(keys, &TestKey::ed25519(2).token(&eddsa("a"), &claims())).await.is_err());
    assert!(case.verify_by(keys, &key.token(&eddsa("b"), &claims())).await.is_err());
    assert_eq!(case.documents.fetches(), 0);
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
