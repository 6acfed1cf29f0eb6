use super::EntropyError;
use crate::directory::{AccessCredential, IdentityProvider};
use crate::document::Document;
use crate::id::{CredentialId, OrganisationId};
use crate::principal::{CredentialScopes, Principal};
use crate::root_key::SealedInstanceKey;
use crate::time::Timestamp;
use crate::value::SecretBytes;
use async_trait::async_trait;
use core::error::Error;

/// A new opaque token, and what to store of it.
pub struct NewToken {
    /// The token; it can't be had again.
    pub token: SecretBytes,
    /// What to store of it: HMAC-SHA-256 under the token-digest key, 32 bytes.
    pub digest: [u8; 32],
    /// The version of the token-digest key that made the digest, from 1.
    pub digest_key_version: u32,
}

/// A new access key with its secret, and what to store of it.
pub struct NewAccessKey {
    /// The public part, which the credential is found by.
    pub access_key: String,
    /// The secret part, of `A–Z a–z 0–9 _ -`; it can't be had again.
    pub secret: SecretBytes,
    /// What to store of the secret: HMAC-SHA-256 under the token-digest key, 32 bytes.
    pub digest: [u8; 32],
    /// The version of the token-digest key that made the digest, from 1.
    pub digest_key_version: u32,
}

/// Makes credentials, and checks access secrets.
pub trait CredentialMaker: Send + Sync {
    /// A new opaque token.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness; then there is no token.
    fn token(&self) -> Result<NewToken, EntropyError>;

    /// A new access key.
    ///
    /// # Errors
    /// [`EntropyError`] when there is no randomness; then there is no key.
    fn access_key(&self) -> Result<NewAccessKey, EntropyError>;

    /// Whether this is the credential's secret. Takes the same time for every wrong one.
    fn is_secret_of(&self, credential: &AccessCredential, secret: &SecretBytes) -> bool;
}

/// What an access token of ours says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessClaims {
    /// Whom it stands for.
    pub principal: Principal,
    /// The only organisation where it acts.
    pub organisation: OrganisationId,
    /// What it was given for; it ends with it. For a federated identity its own identifier.
    pub credential: CredentialId,
    /// What it allows.
    pub scopes: CredentialScopes,
    /// The project, by identity or slug, that it is bound to.
    pub project: Option<String>,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When it ends; whole seconds.
    pub expires_at: Timestamp,
}

/// A public key that access tokens are signed with (Ed25519).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenKey {
    /// Its name in a token's header (`kid`).
    pub id: String,
    /// The key, 32 bytes.
    pub public: [u8; 32],
}

/// An access token or its key could not be made.
#[derive(Debug, thiserror::Error)]
#[error("{context}")]
pub struct TokenIssuerError {
    /// What failed.
    pub context: &'static str,
    /// Why.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

/// Makes access tokens: JSON web tokens (RFC 7519) signed with EdDSA (RFC 8037).
pub trait TokenIssuer: Send + Sync {
    /// A token that says this, signed with the newest key.
    ///
    /// # Errors
    /// [`TokenIssuerError`].
    fn issue(&self, claims: &AccessClaims) -> Result<SecretBytes, TokenIssuerError>;

    /// The issuer that tokens name: the installation's public URL.
    fn issuer(&self) -> &str;

    /// The keys that verify tokens, newest first.
    fn keys(&self) -> Vec<TokenKey>;

    /// A new key, sealed to be stored; tokens are signed with it once it is [adopted](Self::adopt).
    ///
    /// # Errors
    /// [`TokenIssuerError`].
    fn next_key(&self) -> Result<SealedInstanceKey, TokenIssuerError>;

    /// Takes on the keys that a store holds; those of other purposes are passed over.
    ///
    /// # Errors
    /// [`TokenIssuerError`]; then nothing changed.
    fn adopt(&self, keys: &[SealedInstanceKey]) -> Result<(), TokenIssuerError>;
}

/// What a verified token of another issuer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignClaims {
    /// Who it speaks of (`sub`).
    pub subject: String,
    /// For whom it was made (`aud`).
    pub audiences: Vec<String>,
    /// When it ends (`exp`).
    pub expires_at: Timestamp,
    /// Everything that it says, in its order. Numbers that aren't whole are texts.
    pub claims: Vec<(String, Document)>,
}

/// Why a token of another issuer isn't taken.
#[derive(Debug, thiserror::Error)]
pub enum ForeignTokenError {
    /// It isn't valid. The text says why, for whoever sets the exchange up; it holds nothing of the token.
    #[error("the token is refused: {0}")]
    Refused(String),
    /// The issuer's keys could not be had. The text says why.
    #[error("the issuer's keys cannot be had: {0}")]
    Unavailable(String),
}

/// Verifies tokens of other issuers: JSON web tokens with asymmetric signatures.
#[async_trait]
pub trait ForeignTokens: Send + Sync {
    /// The issuer that a token names, unverified, so that its provider can be looked up. `None` for what is no token.
    fn issuer(&self, token: &SecretBytes) -> Option<String>;

    /// What the token says, once signature, issuer and times hold at this time. Audiences and subject are for the caller to check.
    ///
    /// - Only asymmetric algorithms are taken, and for each key only its own.
    /// - `exp` must be there; `exp`, `nbf` and `iat` have 60 seconds of leeway.
    ///
    /// # Errors
    /// [`ForeignTokenError::Refused`] for a token that isn't valid, [`ForeignTokenError::Unavailable`] when the issuer's keys can't be had.
    async fn verify(
        &self,
        provider: &IdentityProvider,
        token: &SecretBytes,
        at: Timestamp,
    ) -> Result<ForeignClaims, ForeignTokenError>;

    /// Checks a JWK set that is given by hand, or the URL of one.
    ///
    /// # Errors
    /// What is wrong with it, and what is allowed.
    fn check(&self, local_jwks: Option<&str>, jwks_uri: Option<&str>, issuer: &str) -> Result<(), String>;
}
