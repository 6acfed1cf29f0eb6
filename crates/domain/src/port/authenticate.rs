use crate::directory::Login;
use crate::failure::Failure;
use crate::port::ReadError;
use crate::principal::{Caller, Token};
use crate::time::Timestamp;
use crate::value::SecretBytes;
use async_trait::async_trait;
use std::sync::Arc;

/// What a caller shows. Taken from an `Authorization` header, or given by an embedding program.
pub enum Credential {
    /// A bearer token, opaque or signed.
    Token(SecretBytes),
    /// A service account's access key and secret.
    AccessKey {
        /// The public part.
        key: String,
        /// The secret part.
        secret: SecretBytes,
    },
}

/// Why a caller isn't known.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// The credential is unknown, expired or revoked; which one isn't told.
    #[error("the credentials are not valid")]
    Refused,
    /// It can't be said now.
    #[error("credentials cannot be checked")]
    Unavailable(#[source] ReadError),
}

impl AuthenticateError {
    /// [`AuthenticateError::Unavailable`] with its cause.
    #[must_use]
    pub const fn unavailable(error: Failure<super::ReadErrorKind>) -> Self {
        Self::Unavailable(error)
    }
}

/// A user whom an issuer vouches for that the operator trusts with logins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserLogin {
    /// Who it is.
    pub login: Login,
    /// The name that the issuer gives; empty when it gives none.
    pub name: String,
    /// The address that the issuer gives; empty when it gives none.
    pub email: String,
    /// When the token ends.
    pub expires_at: Timestamp,
}

/// What a credential proves.
#[derive(Clone)]
pub enum Authenticated {
    /// Who calls.
    Caller(Arc<Caller>),
    /// A user, known or new, who logged in elsewhere.
    Login(UserLogin),
}

/// Tells who calls.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// The caller of this credential at this time. Whether the directory still knows principal and credential is for others to check.
    ///
    /// - A credential that was never given, or whose time has ended, is [`AuthenticateError::Refused`].
    /// - Before anything is refused, the store has been read.
    ///
    /// # Errors
    /// [`AuthenticateError::Refused`] as said above, [`AuthenticateError::Unavailable`] when that can't be looked up now.
    async fn authenticate(&self, credential: &Credential, at: Timestamp) -> Result<Authenticated, AuthenticateError>;

    /// Forgets a token that was removed, so that it opens nothing from now on.
    fn forget(&self, token: &Token);
}
