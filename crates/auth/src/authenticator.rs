//! From a credential to its caller.

mod access_key;
mod opaque;
mod signed;

use crate::access_tokens::AccessTokens;
use crate::foreign::ForeignTokenVerifier;
use crate::jwt::{MAX_TOKEN_LEN, looks_signed};
use access_key::AccessKeys;
use async_trait::async_trait;
use opaque::OpaqueTokens;
use signed::SignedTokens;
use std::sync::Arc;
use strongroom_domain::port::{
    AuthenticateError, Authenticated, Authenticator, Credential, DirectoryReader, KeyedDigest, TokenReader,
};
use strongroom_domain::principal::Token;
use strongroom_domain::time::Timestamp;

pub use signed::LoginIssuer;

/// How long a credential that was read serves without the store: other nodes' changes show within it.
const MAX_AGE_MICROS: u64 = 1_000_000;
/// How many credentials of one kind are kept.
const MAX_KNOWN: usize = 10_000;

/// Whether what was read then is still young enough. A clock that went back says nothing of the age.
fn is_fresh(read_at: Timestamp, at: Timestamp) -> bool {
    at >= read_at && at.micros_since(read_at) < MAX_AGE_MICROS
}

/// What callers are authenticated by.
pub struct AuthenticatorPorts {
    /// Reads opaque tokens.
    pub tokens: Arc<dyn TokenReader>,
    /// Reads access credentials.
    pub directory: Arc<dyn DirectoryReader>,
    /// The digest that tokens and secrets were stored with.
    pub digest: Arc<dyn KeyedDigest>,
    /// Verifies our own access tokens.
    pub access_tokens: Arc<AccessTokens>,
    /// Verifies logins.
    pub foreign_tokens: Arc<ForeignTokenVerifier>,
    /// Whose logins are taken.
    pub logins: Vec<LoginIssuer>,
}

/// Authenticates by what a store knows, and by signatures.
///
/// A yes may come from memory and be a second old, but never to a token that was forgotten; before a no to an opaque token or an access
/// key, the store is read.
pub struct StoreAuthenticator {
    opaque: OpaqueTokens,
    access_keys: AccessKeys,
    signed: SignedTokens,
}

impl StoreAuthenticator {
    /// Authenticates by these.
    #[must_use]
    pub fn new(ports: AuthenticatorPorts) -> Self {
        let AuthenticatorPorts { tokens, directory, digest, access_tokens, foreign_tokens, logins } = ports;
        Self {
            opaque: OpaqueTokens::new(tokens, Arc::clone(&digest)),
            access_keys: AccessKeys::new(directory, Arc::clone(&digest)),
            signed: SignedTokens::new(access_tokens, foreign_tokens, logins, digest),
        }
    }
}

#[async_trait]
impl Authenticator for StoreAuthenticator {
    async fn authenticate(&self, credential: &Credential, at: Timestamp) -> Result<Authenticated, AuthenticateError> {
        match credential {
            Credential::Token(token) if token.len() > MAX_TOKEN_LEN => Err(AuthenticateError::Refused),
            Credential::Token(token) if looks_signed(token.expose()) => self.signed.find(token, at).await,
            Credential::Token(token) => self.opaque.find(token.expose(), at).await.map(Authenticated::Caller),
            Credential::AccessKey { key, secret } => {
                self.access_keys.find(key, secret, at).await.map(Authenticated::Caller)
            }
        }
    }

    fn forget(&self, token: &Token) {
        self.opaque.forget(token);
    }
}

#[cfg(test)]
mod tests;
