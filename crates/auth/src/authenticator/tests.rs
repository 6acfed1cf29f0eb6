use super::TokenAuthenticator;
use crate::token::{IssuedToken, issue_token};
use async_trait::async_trait;
use proptest::prelude::*;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use strongroom_crypto::{HmacSha256Digest, OsEntropy};
use strongroom_domain::failure::Failure;
use strongroom_domain::iam::{Permission, ResourceType};
use strongroom_domain::id::{CredentialId, OrganisationId, UserId};
use strongroom_domain::port::{
    AuthenticateError, Authenticator, Credential, KeyedDigest, ReadError, ReadErrorKind, TokenReader,
};
use strongroom_domain::principal::{Caller, CredentialScopes, Principal, Token};
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;
use uuid::Uuid;

const SECOND: i64 = 1_000_000;
const START: i64 = 1_800_000_000 * SECOND;

/// Tokens in a map, which counts its reads and can be out of reach.
#[derive(Default)]
struct Tokens {
    by_digest: Mutex<HashMap<[u8; 32], Token>>,
    reads: AtomicU32,
    down: Mutex<bool>,
}

#[async_trait]
impl TokenReader for Tokens {
    async fn by_digest(&self, digest: &[u8; 32]) -> Result<Option<Token>, ReadError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if *self.down.lock().expect("lock") {
            return Err(Failure::new(ReadErrorKind::Unavailable, "reading a token"));
        }
        Ok(self.by_digest.lock().expect("lock").get(digest).cloned())
    }
}

struct Case {
    tokens: Arc<Tokens>,
    authenticator: TokenAuthenticator,
    issued: IssuedToken,
    runtime: tokio::runtime::Runtime,
}

impl Case {
    /// One token in the store.
    fn new(expires_at: Option<Timestamp>) -> Self {
        let digest: Arc<dyn KeyedDigest> = Arc::new(HmacSha256Digest::new(&SecretBytes::copy_of(&[7; 32]), 1));
        let issued = issue_token(&OsEntropy, digest.as_ref()).expect("there is randomness");
        let tokens = Arc::new(Tokens::default());
        let authenticator = TokenAuthenticator::new(Arc::clone(&tokens) as Arc<dyn TokenReader>, digest);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        let case = Self { tokens, authenticator, issued, runtime };
        case.store(case.token(expires_at));
        case
    }

    fn token(&self, expires_at: Option<Timestamp>) -> Token {
        Token {
            id: CredentialId::new(Uuid::from_u128(1)),
            digest: self.issued.digest,
            digest_key_version: self.issued.digest_key_version,
            user: UserId::new(Uuid::from_u128(2)),
            organisation: OrganisationId::new(Uuid::from_u128(3)),
            name: "administrator".to_owned(),
            scopes: CredentialScopes::ALL,
            created_at: Timestamp::from_micros(START),
            expires_at,
        }
    }

    fn store(&self, token: Token) {
        self.tokens.by_digest.lock().expect("lock").insert(token.digest, token);
    }

    fn revoke(&self) {
        self.tokens.by_digest.lock().expect("lock").clear();
    }

    fn show(&self, token: &[u8], at: i64) -> Result<Arc<Caller>, AuthenticateError> {
        let credential = Credential::Token(SecretBytes::copy_of(token));
        self.runtime.block_on(self.authenticator.authenticate(&credential, Timestamp::from_micros(at)))
    }

    fn show_own(&self, at: i64) -> Result<Arc<Caller>, AuthenticateError> {
        self.show(self.issued.token.expose(), at)
    }

    fn reads(&self) -> u32 {
        self.tokens.reads.load(Ordering::SeqCst)
    }
}

fn is_refused(answer: &Result<Arc<Caller>, AuthenticateError>) -> bool {
    matches!(answer, Err(AuthenticateError::Refused))
}

#[test]
fn a_token_gives_its_administrator() {
    let case = Case::new(None);
    let caller = case.show_own(START).expect("the token stands");
    let user = UserId::new(Uuid::from_u128(2));
    assert_eq!(caller.principal, Principal::User(user));
    assert_eq!(caller.credential, CredentialId::new(Uuid::from_u128(1)));
    assert_eq!(caller.scopes, CredentialScopes::ALL);
    assert_eq!(caller.subject.user, Some(user.to_string()));
    assert_eq!(caller.subject.service_account, None);
    let [membership] = caller.memberships.as_slice() else { panic!("one organisation") };
    assert_eq!(membership.organisation, OrganisationId::new(Uuid::from_u128(3)));
    for permission in Permission::ALL.iter().copied() {
        for kind in ResourceType::ALL.iter().copied() {
            let rule = membership.grants.anywhere(kind, permission).expect("everything is allowed");
            assert_eq!(rule.uuid(), Uuid::from_u128(1), "the rule names the token");
        }
    }
}

#[test]
fn a_token_ends_with_its_time() {
    let end = START + SECOND / 2;
    let case = Case::new(Some(Timestamp::from_micros(end)));
    assert!(case.show_own(START).is_ok());
    assert!(case.show_own(end - 1).is_ok());
    assert_eq!(case.reads(), 1, "the second came from memory");
    assert!(is_refused(&case.show_own(end)), "also from memory");
    assert_eq!(case.reads(), 2, "the store was read before the no");
}

#[test]
fn a_yes_is_at_most_a_second_old() {
    let case = Case::new(None);
    let first = case.show_own(START).expect("the token stands");
    assert!(case.show_own(START + SECOND - 1).is_ok());
    assert_eq!(case.reads(), 1);
    let second = case.show_own(START + SECOND).expect("the token stands");
    assert_eq!(case.reads(), 2);
    assert!(Arc::ptr_eq(&first, &second), "the same token's rules are compiled once");

    case.revoke();
    assert!(case.show_own(START + 2 * SECOND - 1).is_ok(), "a yes may be that old");
    assert!(is_refused(&case.show_own(START + 2 * SECOND)));
    assert!(is_refused(&case.show_own(START + 2 * SECOND)), "and is forgotten with the no");
    assert_eq!(case.reads(), 4);

    case.store(case.token(None));
    assert!(case.show_own(START + 2 * SECOND).is_ok(), "a no is never remembered");
}

#[test]
fn a_clock_that_goes_back_ends_the_age() {
    let case = Case::new(None);
    assert!(case.show_own(START).is_ok());
    case.revoke();
    assert!(is_refused(&case.show_own(START - 1)));
}

#[test]
fn a_changed_token_has_a_new_caller() {
    let case = Case::new(None);
    assert!(case.show_own(START).is_ok());
    let scopes = CredentialScopes { read: true, write: false };
    case.store(Token { scopes, ..case.token(None) });
    let caller = case.show_own(START + SECOND).expect("the token stands");
    assert_eq!(caller.scopes, scopes);
}

#[test]
fn a_store_out_of_reach_is_no_refusal() {
    let case = Case::new(None);
    *case.tokens.down.lock().expect("lock") = true;
    assert!(matches!(case.show_own(START), Err(AuthenticateError::Unavailable(_))));
    assert!(matches!(case.show(b"tc_pat_unknown", START), Err(AuthenticateError::Unavailable(_))));
}

#[test]
fn a_store_that_answers_with_another_token_is_not_believed() {
    let case = Case::new(None);
    let other = Token { digest: [0; 32], ..case.token(None) };
    case.tokens.by_digest.lock().expect("lock").insert(case.issued.digest, other);
    assert!(is_refused(&case.show_own(START)));
}

#[test]
fn an_access_key_is_refused() {
    let case = Case::new(None);
    let secret = SecretBytes::copy_of(case.issued.token.expose());
    let credential = Credential::AccessKey { key: "key".to_owned(), secret };
    let answer = case.runtime.block_on(case.authenticator.authenticate(&credential, Timestamp::from_micros(START)));
    assert!(is_refused(&answer));
}

proptest! {
    #[test]
    fn any_other_text_is_refused(place in 0_usize..50, byte: u8, cut in 0_usize..50, tail in ".{1,4}", remembered: bool) {
        let case = Case::new(None);
        if remembered {
            prop_assert!(case.show_own(START).is_ok());
        }
        let token = case.issued.token.expose();
        prop_assert_eq!(token.len(), 50);
        let mut changed = token.to_vec();
        changed[place] = byte;
        if changed != token {
            prop_assert!(is_refused(&case.show(&changed, START)));
        }
        prop_assert!(is_refused(&case.show(&token[..cut], START)));
        let longer = [token, tail.as_bytes()].concat();
        prop_assert!(is_refused(&case.show(&longer, START)));
        prop_assert!(is_refused(&case.show(&token.to_ascii_uppercase(), START)));
    }
}
