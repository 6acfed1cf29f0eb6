//! Tokens of other issuers.

mod address;
mod budget;
#[cfg(feature = "fetch")]
mod fetch;
mod fetcher;
mod jwks;
mod location;
mod source;

use crate::claims::Claims;
use crate::jwt::{self, Refusal};
use async_trait::async_trait;
use jsonwebtoken::Header;
use jwks::KeySet;
use quick_cache::sync::Cache;
use source::{Place, Sources};
use std::sync::Arc;
use strongroom_domain::directory::IdentityProvider;
use strongroom_domain::id::OrganisationId;
use strongroom_domain::port::{Clock, ForeignClaims, ForeignTokenError, ForeignTokens};
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;

#[cfg(feature = "fetch")]
pub use fetch::HttpsJwksFetcher;
pub use fetcher::{FetchError, FetchRules, JwksFetcher, MAX_JWKS_LEN};

/// How many keys of one set a token is tried with.
const MAX_CANDIDATES: usize = 4;
/// How many key sets that were given by hand are kept parsed.
const MAX_LOCAL_SETS: usize = 100;

/// Where the keys of an issuer are.
#[derive(Clone, Copy)]
pub(crate) struct Keys<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) jwks_uri: Option<&'a str>,
    pub(crate) local_jwks: Option<&'a str>,
    /// Whose provider it is; `None` for an issuer that the operator named.
    pub(crate) organisation: Option<OrganisationId>,
}

/// The time gone by; endless when the clock went back, so that nothing waits for it to catch up.
fn age(now: Timestamp, then: Timestamp) -> u64 {
    if now < then { u64::MAX } else { now.micros_since(then) }
}

/// Verifies tokens of other issuers against the keys that these publish.
///
/// Keys serve for ten minutes. A token that names another key has them fetched before, at most once a minute for each issuer, so that
/// a flood of such tokens costs nothing. When an issuer is out of reach its last keys serve on for up to a day, and other issuers
/// are not held up. At most 32 fetches run at once, and an organisation causes 30 a minute beyond those of issuers that verified a token
/// within a day: no list of providers is long enough to have everybody's keys forgotten, or to make this server a source of floods. It runs inside a tokio runtime: what is being fetched is finished there, also when the caller has gone.
pub struct ForeignTokenVerifier {
    rules: FetchRules,
    sources: Sources,
    local: Cache<String, Arc<KeySet>>,
}

impl ForeignTokenVerifier {
    /// Verifies with keys that `fetcher` gets. `rules` are those of the fetcher.
    #[must_use]
    pub fn new(fetcher: Arc<dyn JwksFetcher>, clock: Arc<dyn Clock>, rules: FetchRules) -> Self {
        Self { rules, sources: Sources::new(fetcher, clock, rules), local: Cache::new(MAX_LOCAL_SETS) }
    }

    /// Verifies with the keys that are here.
    pub(crate) async fn verify_by(
        &self,
        keys: Keys<'_>,
        token: &SecretBytes,
        at: Timestamp,
    ) -> Result<ForeignClaims, ForeignTokenError> {
        let token = token.expose();
        let header = jwt::header(token).map_err(refused)?;
        // Before anything is fetched for it.
        if jwt::unverified_issuer(token).as_deref() != Some(keys.issuer) {
            return Err(refused("`iss` is not exactly the issuer"));
        }
        if let Some(local) = keys.local_jwks {
            return verified(&*self.local_set(local)?, &header, keys.issuer, token, at);
        }
        let place = Place::of(keys.issuer, keys.jwks_uri);
        let found = self.sources.keys(place, header.kid.as_deref(), keys.organisation).await;
        let found = found.map_err(ForeignTokenError::Unavailable)?;
        let claims = verified(&found.keys, &header, keys.issuer, token, at)?;
        self.sources.prove(&found);
        Ok(claims)
    }

    fn local_set(&self, text: &str) -> Result<Arc<KeySet>, ForeignTokenError> {
        if let Some(set) = self.local.get(text) {
            return Ok(set);
        }
        let set = KeySet::parse(text.as_bytes()).map_err(ForeignTokenError::Unavailable)?;
        let set = Arc::new(set);
        self.local.insert(text.to_owned(), Arc::clone(&set));
        Ok(set)
    }
}

fn refused(reason: &str) -> ForeignTokenError {
    ForeignTokenError::Refused(reason.to_owned())
}

/// What a token says, once one of these keys verified it.
fn verified(
    set: &KeySet,
    header: &Header,
    issuer: &str,
    token: &[u8],
    at: Timestamp,
) -> Result<ForeignClaims, ForeignTokenError> {
    let candidates = set.candidates(header.kid.as_deref(), header.alg);
    if candidates.is_empty() {
        return Err(refused("its issuer has no such key for its algorithm"));
    }
    if candidates.len() > MAX_CANDIDATES {
        return Err(refused("it does not say which of many keys signed it (`kid`)"));
    }
    for key in candidates {
        match jwt::verify(token, &key.decoding, header.alg, issuer) {
            Ok(claims) => return read(claims, at),
            Err(Refusal::Signature) => {}
            Err(Refusal::Other(reason)) => return Err(refused(reason)),
        }
    }
    Err(refused("its signature is wrong"))
}

fn read(claims: Claims, at: Timestamp) -> Result<ForeignClaims, ForeignTokenError> {
    let expires_at = claims.hold(at, true).map_err(refused)?;
    let audiences = claims.audiences().map_err(refused)?;
    let subject = claims.text("sub").filter(|subject| !subject.is_empty());
    let subject = subject.ok_or_else(|| refused("`sub` is missing"))?.to_owned();
    Ok(ForeignClaims { subject, audiences, expires_at, claims: claims.members })
}

#[async_trait]
impl ForeignTokens for ForeignTokenVerifier {
    fn issuer(&self, token: &SecretBytes) -> Option<String> {
        jwt::unverified_issuer(token.expose())
    }

    async fn verify(
        &self,
        provider: &IdentityProvider,
        token: &SecretBytes,
        at: Timestamp,
    ) -> Result<ForeignClaims, ForeignTokenError> {
        let keys = Keys {
            issuer: &provider.issuer,
            jwks_uri: provider.jwks_uri.as_deref(),
            local_jwks: provider.local_jwks.as_deref(),
            organisation: Some(provider.organisation),
        };
        self.verify_by(keys, token, at).await
    }

    fn check(&self, local_jwks: Option<&str>, jwks_uri: Option<&str>, issuer: &str) -> Result<(), String> {
        if let Some(uri) = jwks_uri {
            location::check(uri, self.rules).map_err(|rule| format!("`providerJwksUri`: {rule}"))?;
        }
        if let Some(local) = local_jwks {
            return KeySet::check(local.as_bytes()).map_err(|rule| format!("`localJwks`: {rule}"));
        }
        if jwks_uri.is_none() {
            location::check_issuer(issuer, self.rules).map_err(|rule| format!("`providerIssuer`: {rule}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
