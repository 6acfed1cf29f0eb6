use super::{Case, caller, is_refused, is_unavailable};
use crate::test_support::{SECOND, START, micros};
use crate::token::{IssuedToken, issue_operator_token, issue_token};
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use strongroom_crypto::OsEntropy;
use strongroom_domain::directory::{Expiry, Scopes};
use strongroom_domain::id::{CredentialId, OrganisationId, UserId};
use strongroom_domain::port::Authenticator;
use strongroom_domain::principal::{CredentialScopes, Principal, Reach, Token, TokenHolder};
use uuid::Uuid;

fn user() -> UserId {
    UserId::new(Uuid::from_u128(2))
}

fn stored(issued: &IssuedToken, expires_at: Option<i64>) -> Token {
    Token {
        id: CredentialId::new(Uuid::from_u128(1)),
        digest: issued.digest,
        digest_key_version: issued.digest_key_version,
        holder: TokenHolder::User(user()),
        organisation: None,
        name: "laptop".to_owned(),
        scopes: Scopes::default(),
        created_at: micros(START),
        expires: expires_at.map(|at| Expiry { at: micros(at), text: micros(at).to_rfc3339() }),
    }
}

impl Case {
    /// Stores a token that is like this one.
    fn put(&self, token: Token) {
        self.store.tokens.lock().expect("lock").insert(token.digest, token);
    }

    fn with_token(expires_at: Option<i64>) -> (Self, IssuedToken) {
        let case = Self::new();
        let issued = issue_token(&OsEntropy, &*case.digest).expect("there is randomness");
        case.put(stored(&issued, expires_at));
        (case, issued)
    }

    fn revoke_all(&self) {
        self.store.tokens.lock().expect("lock").clear();
    }
}

#[tokio::test]
async fn a_token_gives_its_holder() {
    let (case, issued) = Case::with_token(None);
    let found = caller(case.token(issued.token.expose(), START).await);
    assert_eq!(found.principal, Principal::User(user()));
    assert_eq!(found.credential, CredentialId::new(Uuid::from_u128(1)));
    assert_eq!(found.scopes, CredentialScopes::ALL);
    assert_eq!(found.subject.user, Some(user().to_string()));
    assert!(matches!(found.reach, Reach::Memberships));

    let organisation = OrganisationId::new(Uuid::from_u128(3));
    let scopes = Scopes::new(vec!["api:read".to_owned()]).expect("known");
    case.put(Token { organisation: Some(organisation), scopes, ..stored(&issued, None) });
    let found = caller(case.token(issued.token.expose(), START + SECOND).await);
    assert!(matches!(found.reach, Reach::Only(only) if only == organisation));
    assert_eq!(found.scopes, CredentialScopes { read: true, write: false });

    let operator = issue_operator_token(&OsEntropy, &*case.digest).expect("there is randomness");
    case.put(Token { holder: TokenHolder::Operator, ..stored(&operator, None) });
    let found = caller(case.token(operator.token.expose(), START).await);
    assert_eq!(found.principal, Principal::Operator(CredentialId::new(Uuid::from_u128(1))));
    assert!(matches!(&found.reach, Reach::Given(memberships) if memberships.is_empty()));
}

#[tokio::test]
async fn a_token_ends_with_its_time() {
    let end = START + SECOND / 2;
    let (case, issued) = Case::with_token(Some(end));
    let token = issued.token.expose();
    assert!(case.token(token, START).await.is_ok());
    assert!(case.token(token, end - 1).await.is_ok());
    assert_eq!(case.reads(), 1, "the second came from memory");
    assert!(is_refused(&case.token(token, end).await), "also from memory");
    assert_eq!(case.reads(), 2, "the store was read before the no");
}

#[tokio::test]
async fn a_yes_is_at_most_a_second_old() {
    let (case, issued) = Case::with_token(None);
    let token = issued.token.expose();
    let first = caller(case.token(token, START).await);
    assert!(case.token(token, START + SECOND - 1).await.is_ok());
    assert_eq!(case.reads(), 1);
    let second = caller(case.token(token, START + SECOND).await);
    assert_eq!(case.reads(), 2);
    assert!(Arc::ptr_eq(&first, &second), "the caller of an unchanged token is kept");

    case.revoke_all();
    assert!(case.token(token, START + 2 * SECOND - 1).await.is_ok(), "a yes may be that old");
    assert!(is_refused(&case.token(token, START + 2 * SECOND).await));
    assert!(is_refused(&case.token(token, START + 2 * SECOND).await), "and is forgotten with the no");
    assert_eq!(case.reads(), 4);
    case.put(stored(&issued, None));
    assert!(case.token(token, START + 2 * SECOND).await.is_ok(), "a no is never remembered");
}

#[tokio::test]
async fn a_forgotten_token_opens_nothing() {
    let (case, issued) = Case::with_token(None);
    let token = issued.token.expose();
    assert!(case.token(token, START).await.is_ok());
    case.revoke_all();
    case.authenticator.forget(&stored(&issued, None));
    assert!(is_refused(&case.token(token, START).await));
}

#[tokio::test]
async fn a_token_that_is_forgotten_while_it_is_read_is_not_kept() {
    let (case, issued) = Case::with_token(None);
    let token = issued.token.expose();
    let reading = case.token(token, START);
    let revoking = async {
        assert_eq!(case.reads(), 1, "it was read");
        case.revoke_all();
        case.authenticator.forget(&stored(&issued, None));
    };
    let (_, ()) = tokio::join!(biased; reading, revoking);
    assert!(is_refused(&case.token(token, START).await));
}

#[tokio::test]
async fn a_clock_that_goes_back_ends_the_age() {
    let (case, issued) = Case::with_token(None);
    assert!(case.token(issued.token.expose(), START).await.is_ok());
    case.revoke_all();
    assert!(is_refused(&case.token(issued.token.expose(), START - 1).await));
}

#[tokio::test]
async fn a_store_out_of_reach_is_no_refusal() {
    let (case, issued) = Case::with_token(None);
    case.store.down.store(true, Ordering::SeqCst);
    assert!(is_unavailable(&case.token(issued.token.expose(), START).await));
    assert!(is_unavailable(&case.token(b"tc_pat_unknown", START).await));
}

#[tokio::test]
async fn a_store_that_answers_with_another_token_is_not_believed() {
    let (case, issued) = Case::with_token(None);
    let other = Token { digest: [0; 32], ..stored(&issued, None) };
    case.store.tokens.lock().expect("lock").insert(issued.digest, other);
    assert!(is_refused(&case.token(issued.token.expose(), START).await));
}

#[tokio::test]
async fn a_token_of_a_megabyte_is_refused_unread() {
    let case = Case::new();
    for byte in *b"a." {
        assert!(is_refused(&case.token(&vec![byte; 1 << 20], START).await));
    }
    assert_eq!(case.reads(), 0);
}

proptest! {
    #[test]
    fn any_other_text_is_refused(place in 0_usize..50, byte: u8, cut in 0_usize..50, tail in ".{1,4}", remembered: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        let (case, issued) = Case::with_token(None);
        let own = issued.token.expose();
        let refused = |text: &[u8]| runtime.block_on(async { is_refused(&case.token(text, START).await) });
        if remembered {
            prop_assert!(!refused(own));
        }
        let mut changed = own.to_vec();
        changed[place] = byte;
        prop_assert_eq!(refused(&changed), changed != own);
        prop_assert!(refused(&own[..cut]));
        let mut longer = own.to_vec();
        longer.extend_from_slice(tail.as_bytes());
        prop_assert!(refused(&longer));
        prop_assert!(!refused(own));
    }
}
