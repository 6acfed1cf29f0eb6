//! What somebody can make this server fetch.

use super::{Case, ISSUER, URI, claims, eddsa, is_unavailable, with};
use crate::foreign::Keys;
use crate::foreign::budget::FETCHES_A_MINUTE;
use crate::foreign::source::MAX_FETCHES;
use crate::test_support::{TestKey, numeric_date};
use serde_json::json;
use std::sync::Arc;
use strongroom_domain::id::OrganisationId;
use strongroom_domain::port::{ForeignClaims, ForeignTokenError};
use strongroom_domain::value::SecretBytes;
use uuid::Uuid;

fn token() -> SecretBytes {
    let claims = with(claims(), "exp", json!(numeric_date(100_000)));
    TestKey::ed25519(1).token(&eddsa("a"), &claims)
}

fn published() -> Case {
    Case::publishing(&[TestKey::ed25519(1).jwk("a")])
}

impl Case {
    /// As an organisation's provider, whose keys are here.
    async fn verify_for(&self, organisation: u128, uri: &str) -> Result<ForeignClaims, ForeignTokenError> {
        let organisation = Some(OrganisationId::new(Uuid::from_u128(organisation)));
        let keys = Keys { issuer: ISSUER, jwks_uri: Some(uri), local_jwks: None, organisation };
        self.verify_by(keys, &token()).await
    }

    /// Goes through many providers that don't answer.
    async fn cycle(&self, organisation: u128) {
        self.spend(organisation, 1_500).await;
    }

    async fn spend(&self, organisation: u128, providers: u32) {
        for provider in 0..providers {
            let answer = self.verify_for(organisation, &format!("https://{provider}.example")).await;
            assert!(is_unavailable(&answer), "{provider}");
        }
    }
}

#[tokio::test]
async fn many_providers_spend_what_their_organisation_has() {
    let case = published();
    for minute in 1..=3 {
        case.cycle(1).await;
        case.cycle(1).await;
        assert_eq!(case.documents.fetches(), minute * FETCHES_A_MINUTE);
        case.clock.pass(60);
    }
    case.cycle(1).await;
    assert!(is_unavailable(&case.verify_for(1, URI).await), "nothing is left");
    let before = case.documents.fetches();
    assert!(case.verify_for(2, URI).await.is_ok(), "others have their own");
    assert!(case.verify_for(1, URI).await.is_ok(), "it is known now");
    assert_eq!(case.documents.fetches(), before + 1);
}

#[tokio::test]
async fn logins_cost_no_organisation_anything() {
    let case = published();
    case.cycle(1).await;
    assert!(case.verify(&token()).await.is_ok());
}

#[tokio::test]
async fn keys_that_verified_a_token_are_kept_and_fetched_again() {
    let case = published();
    assert!(case.verify_for(1, URI).await.is_ok());
    for organisation in 100..103 {
        case.cycle(organisation).await;
    }
    let before = case.documents.fetches();
    assert!(case.verify_for(1, URI).await.is_ok());
    assert_eq!(case.documents.fetches(), before, "still there");
    case.clock.pass(600);
    case.cycle(1).await;
    let before = case.documents.fetches();
    assert!(case.verify_for(1, URI).await.is_ok());
    assert_eq!(case.documents.fetches(), before + 1, "although its organisation has spent all");
}

#[tokio::test]
async fn a_forged_token_proves_nothing() {
    let case = published();
    let forged = TestKey::ed25519(2).token(&eddsa("a"), &claims());
    let organisation = Some(OrganisationId::new(Uuid::from_u128(1)));
    let keys = Keys { issuer: ISSUER, jwks_uri: Some(URI), local_jwks: None, organisation };
    assert!(matches!(case.verify_by(keys, &forged).await, Err(ForeignTokenError::Refused(_))));
    case.clock.pass(600);
    case.spend(1, FETCHES_A_MINUTE).await;
    let before = case.documents.fetches();
    assert!(case.verify_for(1, URI).await.is_ok(), "its last keys serve");
    assert_eq!(case.documents.fetches(), before);
}

#[tokio::test]
async fn only_so_many_are_fetched_at_once() {
    let case = Arc::new(published());
    case.documents.hold("https://slow");
    let slow: Vec<_> = (0..MAX_FETCHES as u128)
        .map(|number| {
            let case = Arc::clone(&case);
            tokio::spawn(async move { case.verify_for(number, &format!("https://slow{number}.example")).await.is_ok() })
        })
        .collect();
    while (case.documents.fetches() as usize) < MAX_FETCHES {
        tokio::task::yield_now().await;
    }
    assert!(is_unavailable(&case.verify_for(1_000, URI).await));
    assert_eq!(case.documents.fetches() as usize, MAX_FETCHES);
    case.documents.release();
    for call in slow {
        assert!(!call.await.expect("ends"), "there is nothing at these");
    }
    assert!(case.verify_for(1_000, URI).await.is_ok(), "it need not wait");
}
