//! How keys are fetched, kept and found.

use super::{Case, ISSUER, URI, claims, eddsa, is_unavailable, with};
use crate::foreign::Keys;
use crate::test_support::{TestKey, numeric_date};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use strongroom_domain::port::ForeignTokenError;

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
    assert_eq!((taken, case.documents.fetches()), (1 + crate::foreign::source::MAX_WAITERS, 1));
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
