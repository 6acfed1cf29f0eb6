//! Our own access tokens: JSON web tokens signed with EdDSA (RFC 8037), of type `at+jwt` (RFC 9068).

mod content;
mod ring;

use crate::jwt;
use async_lock::{Mutex, Semaphore};
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use ring::Ring;
use std::sync::{Arc, PoisonError, RwLock};
use strongroom_crypto::{INSTANCE_KEY_LEN, random_secret, seal_instance_key};
use strongroom_domain::port::{
    AccessClaims, AuthenticateError, Clock, Entropy, IdGenerator, ReadError, RootKey, SetupReader, TokenIssuer,
    TokenIssuerError, TokenKey,
};
use strongroom_domain::principal::{Caller, Reach};
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey};
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;

/// How long after a read the store is asked again for keys that aren't known, at the earliest: ten times a second at most.
const REFRESH_MICROS: u64 = 100_000;
/// The most callers who wait for a read.
const MAX_WAITERS: usize = 64;

/// What access tokens are made with.
pub struct AccessTokenPorts {
    /// Opens and seals the keys.
    pub root_key: Arc<dyn RootKey>,
    /// Makes new keys.
    pub entropy: Arc<dyn Entropy>,
    /// Names tokens (`jti`).
    pub ids: Arc<dyn IdGenerator>,
    /// Where other nodes leave new keys.
    pub setup: Arc<dyn SetupReader>,
    /// Spreads out the reads of unknown keys.
    pub clock: Arc<dyn Clock>,
}

/// The last times that the store was asked for keys.
#[derive(Default)]
struct Refreshed {
    begun_at: Option<Timestamp>,
    /// The number of the last read that came to its end, and whether it succeeded.
    ended: u64,
    read: bool,
}

/// A token of ours that was verified.
#[derive(Clone)]
pub(crate) struct VerifiedAccessToken {
    pub(crate) caller: Arc<Caller>,
    pub(crate) expires_at: Timestamp,
    /// The key that signed it.
    pub(crate) key: String,
}

/// Makes and verifies our own access tokens. They are signed with the newest key, and the newest three verify them.
pub struct AccessTokens {
    issuer: String,
    ports: AccessTokenPorts,
    ring: RwLock<Arc<Ring>>,
    refreshed: Mutex<Refreshed>,
    /// How many reads have begun.
    reads: AtomicU64,
    waiting: Semaphore,
}

impl AccessTokens {
    /// Tokens that name `issuer`, the installation's public URL, and are signed with the newest of `keys`, as the store holds them.
    /// Without keys none is made until one is [adopted](TokenIssuer::adopt).
    ///
    /// # Errors
    /// [`TokenIssuerError`] when one of the newest three keys doesn't open.
    pub fn new(issuer: String, ports: AccessTokenPorts, keys: &[SealedInstanceKey]) -> Result<Self, TokenIssuerError> {
        let ring = RwLock::new(Arc::new(Ring::open(&*ports.root_key, keys)?));
        let (refreshed, reads) = (Mutex::default(), AtomicU64::new(0));
        Ok(Self { issuer, ports, ring, refreshed, reads, waiting: Semaphore::new(MAX_WAITERS) })
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether tokens of this key are still taken.
    pub(crate) fn knows(&self, key: &str) -> bool {
        self.ring().key(key).is_some()
    }

    /// The caller of a token of ours. Before one whose key isn't known is refused, the store is asked for keys; all who wait for that
    /// share the read.
    pub(crate) async fn verify(&self, token: &[u8], at: Timestamp) -> Result<VerifiedAccessToken, AuthenticateError> {
        let refused = |_| AuthenticateError::Refused;
        let header = jwt::header(token).map_err(refused)?;
        let (Some(key), Some(content::TYPE)) = (header.kid, header.typ.as_deref()) else {
            return Err(AuthenticateError::Refused);
        };
        if header.alg != content::ALGORITHM {
            return Err(AuthenticateError::Refused);
        }
        let mut ring = self.ring();
        if ring.key(&key).is_none() {
            self.refresh(&key).await?;
            ring = self.ring();
        }
        let verifying = ring.key(&key).ok_or(AuthenticateError::Refused)?;
        let claims = jwt::verify(token, &verifying.decoding, content::ALGORITHM, &self.issuer)
            .map_err(|_| AuthenticateError::Refused)?;
        // Another node may have made it, whose clock is ahead; but it never outlives what it was given for.
        let expires_at = claims.hold(at, false).map_err(refused)?;
        let claims = content::read(&claims, &self.issuer).ok_or(AuthenticateError::Refused)?;
        let reach = Reach::Only(claims.organisation);
        let mut caller = Caller::new(claims.principal, claims.credential, claims.scopes, reach);
        caller.project = claims.project;
        Ok(VerifiedAccessToken { caller: Arc::new(caller), expires_at, key })
    }

    async fn refresh(&self, key: &str) -> Result<(), AuthenticateError> {
        let begun_before = self.reads.load(Ordering::SeqCst);
        let Some(_place) = self.waiting.try_acquire() else { return Err(unavailable(None)) };
        let mut refreshed = self.refreshed.lock().await;
        if self.knows(key) {
            return Ok(());
        }
        // A read that began before this call may have missed a key that was stored since.
        if refreshed.ended > begun_before {
            return if refreshed.read { Ok(()) } else { Err(unavailable(None)) };
        }
        self.pause(refreshed.begun_at).await;
        refreshed.begun_at = Some(self.ports.clock.now());
        let number = self.reads.fetch_add(1, Ordering::SeqCst) + 1;
        let read = self.ports.setup.instance_keys().await;
        (refreshed.ended, refreshed.read) = (number, read.is_ok());
        let keys = read.map_err(|error| unavailable(Some(error)))?;
        self.adopt(&keys).map_err(|error| {
            let kind = strongroom_domain::port::ReadErrorKind::Corrupt;
            unavailable(Some(ReadError::new(kind, "taking on the keys of access tokens").because(error)))
        })
    }

    /// Waits until the store may be asked again. A clock that went back keeps nobody waiting.
    async fn pause(&self, last: Option<Timestamp>) {
        let now = self.ports.clock.now();
        let Some(last) = last.filter(|last| now >= *last) else { return };
        let left = REFRESH_MICROS.saturating_sub(now.micros_since(last));
        if left > 0 {
            self.ports.clock.sleep(Duration::from_micros(left)).await;
        }
    }
}

fn unavailable(error: Option<ReadError>) -> AuthenticateError {
    let kind = strongroom_domain::port::ReadErrorKind::Unavailable;
    AuthenticateError::unavailable(error.unwrap_or_else(|| ReadError::new(kind, "reading the keys of access tokens")))
}

/// A failure without a cause.
const fn failed(context: &'static str) -> TokenIssuerError {
    TokenIssuerError { context, source: None }
}

impl TokenIssuer for AccessTokens {
    fn issue(&self, claims: &AccessClaims) -> Result<SecretBytes, TokenIssuerError> {
        let ring = self.ring();
        let (key, signer) = ring.signer().ok_or_else(|| failed("there is no key to sign access tokens with"))?;
        content::write(claims, &self.issuer, &key.token_key.id, self.ports.ids.next(), signer)
    }

    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn keys(&self) -> Vec<TokenKey> {
        self.ring().keys().iter().map(|key| key.token_key.clone()).collect()
    }

    fn next_key(&self) -> Result<SealedInstanceKey, TokenIssuerError> {
        let newest = self.ring().newest_version();
        let version = newest.checked_add(1).ok_or_else(|| failed("there are no more versions of signing keys"))?;
        let context = "no key for access tokens can be made";
        let seed = random_secret(&*self.ports.entropy, INSTANCE_KEY_LEN)
            .map_err(|error| TokenIssuerError { context, source: Some(error.into()) })?;
        seal_instance_key(&*self.ports.root_key, InstanceKeyPurpose::TokenSigning, version, &seed)
            .map_err(|error| TokenIssuerError { context, source: Some(error.into()) })
    }

    fn adopt(&self, keys: &[SealedInstanceKey]) -> Result<(), TokenIssuerError> {
        // The usual case, which opens no key.
        if ring::newest_version(keys) <= self.ring().newest_version() {
            return Ok(());
        }
        let ring = Ring::open(&*self.ports.root_key, keys)?;
        let mut current = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        // What was read before a rotation may come after it.
        if ring.newest_version() > current.newest_version() {
            *current = Arc::new(ring);
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
