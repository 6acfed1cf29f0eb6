use super::{AccessTokenPorts, AccessTokens, MAX_WAITERS, REFRESH_MICROS};
use crate::test_support::{SECOND, START, micros, token_of};
use async_trait::async_trait;
use aws_lc_rs::hmac;
use core::time::Duration;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use strongroom_crypto::{Ed25519Signer, OsEntropy};
use strongroom_domain::id::{CredentialId, OrganisationId, ServiceAccountId, UserId};
use strongroom_domain::port::{
    AccessClaims, AuthenticateError, Clock, IdGenerator, ReadError, ReadErrorKind, RootKey, SetupReader, TokenIssuer,
};
use strongroom_domain::principal::{CredentialScopes, Principal, Reach};
use strongroom_domain::root_key::{InstanceKeyPurpose, KeyCheck, SealedInstanceKey};
use strongroom_domain::value::SecretBytes;
use strongroom_root_key::SoftwareRootKey;
use strongroom_testkit::ManualClock;
use uuid::Uuid;

pub(crate) const ISSUER: &str = "https://strongroom.example";

/// The instance keys of a store, which counts how often they are read.
#[derive(Default)]
pub(crate) struct Setup {
    keys: Mutex<Vec<SealedInstanceKey>>,
    reads: AtomicU32,
    down: AtomicBool,
}

#[async_trait]
impl SetupReader for Setup {
    async fn key_check(&self) -> Result<Option<KeyCheck>, ReadError> {
        Ok(None)
    }

    async fn instance_keys(&self) -> Result<Vec<SealedInstanceKey>, ReadError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Err(ReadError::new(ReadErrorKind::Unavailable, "reading instance keys"));
        }
        Ok(self.keys.lock().expect("lock").clone())
    }
}

struct Ids;

impl IdGenerator for Ids {
    fn next(&self) -> Uuid {
        Uuid::from_u128(77)
    }
}

/// One installation: a root key, and a store.
pub(crate) struct Installation {
    root: Arc<SoftwareRootKey>,
    setup: Arc<Setup>,
    clock: Arc<ManualClock>,
}

impl Installation {
    pub(crate) fn new() -> Self {
        Self::by(ManualClock::jumping(micros(START)))
    }

    fn by(clock: ManualClock) -> Self {
        let root = SoftwareRootKey::generate(Arc::new(OsEntropy)).expect("a root key");
        Self { root: Arc::new(root), setup: Arc::new(Setup::default()), clock: Arc::new(clock) }
    }

    fn reads(&self) -> u32 {
        self.setup.reads.load(Ordering::SeqCst)
    }

    /// A node that starts now.
    pub(crate) fn node(&self) -> AccessTokens {
        let ports = AccessTokenPorts {
            root_key: self.root.clone(),
            entropy: Arc::new(OsEntropy),
            ids: Arc::new(Ids),
            setup: self.setup.clone(),
            clock: self.clock.clone(),
        };
        AccessTokens::new(ISSUER.to_owned(), ports, &self.setup.keys.lock().expect("lock")).expect("opens")
    }

    /// Has a node make a new key, store and adopt it.
    pub(crate) fn rotate(&self, node: &AccessTokens) {
        let key = node.next_key().expect("a key");
        let mut keys = self.setup.keys.lock().expect("lock");
        keys.push(key);
        node.adopt(&keys).expect("adopts");
    }

    /// The newest key itself, to forge with.
    fn signer(&self) -> Ed25519Signer {
        let keys = self.setup.keys.lock().expect("lock");
        let newest = keys.last().expect("a key");
        let aad = strongroom_domain::root_key::instance_key_aad(newest.purpose, newest.version);
        let seed = self.root.open(&aad, &newest.sealed).expect("opens");
        Ed25519Signer::from_seed(seed.expose().try_into().expect("32 bytes")).expect("a seed")
    }
}

pub(crate) fn claims() -> AccessClaims {
    AccessClaims {
        principal: Principal::ServiceAccount(ServiceAccountId::new(Uuid::from_u128(1))),
        organisation: OrganisationId::new(Uuid::from_u128(2)),
        credential: CredentialId::new(Uuid::from_u128(3)),
        scopes: CredentialScopes { read: true, write: false },
        project: Some("web".to_owned()),
        issued_at: micros(START),
        expires_at: micros(START + 3600 * SECOND),
    }
}

const USER: Principal = Principal::User(UserId::new(Uuid::from_u128(9)));

fn parts(token: &SecretBytes) -> [Value; 2] {
    let text = str::from_utf8(token.expose()).expect("text");
    let mut parts = text.split('.').map(|part| BASE64URL_NOPAD.decode(part.as_bytes()).expect("base64"));
    let mut next = || serde_json::from_slice(&parts.next().expect("a part")).expect("JSON");
    [next(), next()]
}

async fn is_refused(node: &AccessTokens, token: &SecretBytes, at: i64) -> bool {
    matches!(node.verify(token.expose(), micros(at)).await, Err(AuthenticateError::Refused))
}

#[tokio::test]
async fn a_token_gives_back_what_it_was_made_of() {
    let installation = Installation::new();
    let node = installation.node();
    assert!(node.issue(&claims()).is_err(), "there is no key yet");
    assert!(node.keys().is_empty());
    installation.rotate(&node);
    for (read, write) in [(true, true), (true, false), (false, true), (false, false)] {
        for project in [None, Some("web".to_owned())] {
            let claims = AccessClaims { scopes: CredentialScopes { read, write }, project, ..claims() };
            let token = node.issue(&claims).expect("a token");
            let verified = node.verify(token.expose(), micros(START)).await.expect("taken");
            let caller = &verified.caller;
            assert_eq!((caller.principal, caller.credential), (claims.principal, claims.credential));
            assert_eq!((caller.scopes, &caller.project), (claims.scopes, &claims.project));
            assert!(matches!(caller.reach, Reach::Only(organisation) if organisation == claims.organisation));
            assert_eq!(verified.expires_at, claims.expires_at);
        }
    }
    for principal in [USER, Principal::Operator(claims().credential)] {
        assert!(node.issue(&AccessClaims { principal, ..claims() }).is_err(), "{principal}");
    }
}

#[test]
fn tokens_look_as_documented() {
    let installation = Installation::new();
    let node = installation.node();
    installation.rotate(&node);
    let [key] = &node.keys()[..] else { panic!("one key") };
    assert_eq!(key.public, installation.signer().public_key());
    let [header, said] = parts(&node.issue(&claims()).expect("a token"));
    assert_eq!(header, json!({"alg": "EdDSA", "typ": "at+jwt", "kid": key.id}));
    let expected = json!({
        "iss": ISSUER, "aud": ISSUER, "sub": claims().principal.to_string(), "iat": START / SECOND,
        "exp": START / SECOND + 3600, "jti": Uuid::from_u128(77).to_string(), "scope": "api:read", "project": "web",
        "organisation": claims().organisation.to_string(), "credential": claims().credential.to_string(),
    });
    assert_eq!(said, expected);
}

/// RFC 8037, appendix A.3.
#[test]
fn keys_are_named_by_their_thumbprint() {
    let public = BASE64URL_NOPAD.decode(b"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").expect("base64");
    let id = super::ring::thumbprint(&public.try_into().expect("32 bytes")).expect("a thumbprint");
    assert_eq!(id, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[tokio::test]
async fn a_token_ends_to_the_second() {
    let installation = Installation::new();
    let node = installation.node();
    installation.rotate(&node);
    let token = node.issue(&claims()).expect("a token");
    let end = START + 3600 * SECOND;
    assert!(node.verify(token.expose(), micros(end - 1)).await.is_ok());
    assert!(is_refused(&node, &token, end).await);
}

#[tokio::test]
async fn the_newest_three_keys_verify() {
    let installation = Installation::new();
    let node = installation.node();
    let mut tokens = Vec::new();
    for _ in 0..5 {
        installation.rotate(&node);
        tokens.push(node.issue(&claims()).expect("a token"));
    }
    let ids: Vec<_> = node.keys().into_iter().map(|key| key.id).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(parts(&tokens[4])[0]["kid"], json!(ids[0]), "the newest signs, and stands first");
    for (place, token) in tokens.iter().enumerate() {
        assert_eq!(is_refused(&node, token, START).await, place < 2, "{place}");
    }
    let keys = installation.setup.keys.lock().expect("lock").clone();
    node.adopt(&keys[..2]).expect("reads");
    assert_eq!(node.keys().len(), 3, "older keys don't come back");
    let restarted: Vec<_> = installation.node().keys().into_iter().map(|key| key.id).collect();
    assert_eq!(restarted, ids);
}

#[tokio::test]
async fn a_rotation_of_another_node_is_seen() {
    let installation = Installation::new();
    let first = installation.node();
    installation.rotate(&first);
    let second = installation.node();
    installation.rotate(&first);
    let token = first.issue(&claims()).expect("a token");
    assert!(second.verify(token.expose(), micros(START)).await.is_ok());
    assert_eq!(second.keys(), first.keys());
    assert_eq!(installation.setup.reads.load(Ordering::SeqCst), 1);
}

/// A token that is signed with a key of nobody's.
fn made_up() -> SecretBytes {
    let other = Installation::new();
    let forger = other.node();
    other.rotate(&forger);
    forger.issue(&claims()).expect("a token")
}

#[tokio::test]
async fn the_store_is_read_before_an_unknown_key_is_refused_ten_times_a_second_at_most() {
    let installation = Installation::new();
    let node = installation.node();
    installation.rotate(&node);
    let token = made_up();
    for reads in 1..=100 {
        assert!(is_refused(&node, &token, START).await);
        assert_eq!(installation.reads(), reads);
    }
    let gone = installation.clock.now().micros_since(micros(START));
    assert_eq!(gone, 99 * REFRESH_MICROS, "whoever came too early has waited");
    installation.setup.down.store(true, Ordering::SeqCst);
    let answer = node.verify(token.expose(), micros(START)).await;
    assert!(matches!(answer, Err(AuthenticateError::Unavailable(_))), "it could be a new key");
    let own = node.issue(&claims()).expect("a token");
    assert!(node.verify(own.expose(), micros(START)).await.is_ok());
}

#[tokio::test]
async fn a_flood_of_unknown_keys_shares_a_read_and_a_new_key_is_taken_meanwhile() {
    let installation = Installation::by(ManualClock::new(micros(START)));
    let other = installation.node();
    installation.rotate(&other);
    let node = Arc::new(installation.node());
    let token = made_up();
    assert!(is_refused(&node, &token, START).await);

    let show = |token: &SecretBytes| {
        let (node, token) = (Arc::clone(&node), SecretBytes::copy_of(token.expose()));
        tokio::spawn(async move { node.verify(token.expose(), micros(START)).await.map(|_| ()) })
    };
    let flood: Vec<_> = (1..MAX_WAITERS).map(|_| show(&token)).collect();
    while installation.clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    installation.rotate(&other);
    let fresh = show(&other.issue(&claims()).expect("a token"));
    while node.waiting.try_acquire().is_some() {
        tokio::task::yield_now().await;
    }
    let crowded = node.verify(token.expose(), micros(START)).await;
    assert!(matches!(crowded, Err(AuthenticateError::Unavailable(_))), "nobody is refused unread");
    assert_eq!((installation.reads(), fresh.is_finished()), (1, false));

    // One that goes away while it waits holds up nobody.
    flood[0].abort();
    while installation.clock.sleepers() == 0 || !flood[0].is_finished() {
        tokio::task::yield_now().await;
    }
    installation.clock.advance(Duration::from_micros(REFRESH_MICROS));
    assert!(fresh.await.expect("ends").is_ok(), "it is a key of the installation");
    for made_up in flood.into_iter().skip(1) {
        assert!(matches!(made_up.await.expect("ends"), Err(AuthenticateError::Refused)));
    }
    assert_eq!(installation.reads(), 2);
}

#[tokio::test]
async fn who_shares_a_read_that_failed_is_not_refused() {
    let installation = Installation::by(ManualClock::new(micros(START)));
    let node = installation.node();
    installation.rotate(&node);
    let token = made_up();
    assert!(is_refused(&node, &token, START).await);
    installation.setup.down.store(true, Ordering::SeqCst);
    let show = || node.verify(token.expose(), micros(START));
    let pass = async {
        while installation.clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        installation.clock.advance(Duration::from_micros(REFRESH_MICROS));
    };
    let (first, second, ()) = tokio::join!(show(), show(), pass);
    for answer in [first, second] {
        assert!(matches!(answer, Err(AuthenticateError::Unavailable(_))));
    }
    assert_eq!(installation.reads(), 2);
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let installation = Installation::new();
    let node = installation.node();
    installation.rotate(&node);
    let signer = installation.signer();
    let [header, said] = parts(&node.issue(&claims()).expect("a token"));
    let sign = |message: &[u8]| signer.sign(message).to_vec();
    assert!(!is_refused(&node, &token_of(&header, &said, sign), START).await);
    let with = |value: &Value, name: &str, to: Value| {
        let mut value = value.clone();
        value[name] = to;
        value
    };

    // The clock of the node that made it may be ahead.
    let ahead = with(&said, "iat", json!(START / SECOND + 60));
    assert!(!is_refused(&node, &token_of(&header, &ahead, sign), START).await);
    for (name, to) in [
        ("iss", json!("https://strongroom.example/")),
        ("aud", json!("https://other.example")),
        ("aud", json!([ISSUER, "https://other.example"])),
        ("aud", json!(null)),
        ("exp", json!(START / SECOND)),
        ("exp", json!(null)),
        ("exp", json!("1900000000")),
        ("nbf", json!(START / SECOND + 61)),
        ("iat", json!(START / SECOND + 61)),
        ("sub", json!("cred-00000000000000000000000000")),
        ("sub", json!("")),
        ("sub", json!(USER.to_string())),
        ("organisation", json!("acme")),
        ("credential", json!(null)),
        ("scope", json!(["api:write"])),
    ] {
        let token = token_of(&header, &with(&said, name, to.clone()), sign);
        assert!(is_refused(&node, &token, START).await, "{name}: {to}");
    }
    for (name, to) in [
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("ES256")),
        ("typ", json!("JWT")),
        ("typ", json!(null)),
        ("kid", json!(null)),
        ("kid", json!("other")),
        ("crit", json!(["kid"])),
    ] {
        let token = token_of(&with(&header, name, to.clone()), &said, sign);
        assert!(is_refused(&node, &token, START).await, "{name}: {to}");
    }
    assert!(is_refused(&node, &token_of(&with(&header, "alg", json!("none")), &said, |_| Vec::new()), START).await);
    let secret = hmac::Key::new(hmac::HMAC_SHA256, &signer.public_key());
    let by_hmac = |message: &[u8]| hmac::sign(&secret, message).as_ref().to_vec();
    assert!(is_refused(&node, &token_of(&with(&header, "alg", json!("HS256")), &said, by_hmac), START).await);
    let other = Ed25519Signer::from_seed(&[1; 32]).expect("a seed");
    assert!(is_refused(&node, &token_of(&header, &said, |message| other.sign(message).to_vec()), START).await);
    assert!(is_refused(&node, &token_of(&header, &with(&said, "x", json!("x".repeat(1 << 20))), sign), START).await);
}

#[test]
fn a_public_key_that_was_swapped_is_not_believed() {
    let installation = Installation::new();
    let node = installation.node();
    installation.rotate(&node);
    let mut keys = installation.setup.keys.lock().expect("lock").clone();
    keys.push(node.next_key().expect("a key"));
    keys[1].public = Some(Ed25519Signer::from_seed(&[1; 32]).expect("a seed").public_key());
    let before = node.keys();
    assert!(node.adopt(&keys).is_err());
    assert_eq!(node.keys(), before);
    let digest = SealedInstanceKey { purpose: InstanceKeyPurpose::TokenDigest, ..keys[0].clone() };
    assert!(node.adopt(&[digest]).is_ok(), "keys of other purposes are passed over");
    assert_eq!(node.keys(), before);
}
