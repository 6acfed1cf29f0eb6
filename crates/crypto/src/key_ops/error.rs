use crate::aead::AeadError;
use crate::derive::DeriveError;
use aws_lc_rs::error::Unspecified;
use strongroom_domain::port::{EntropyError, KmsErrorKind};

/// Why an operation with key material was not done.
#[derive(Debug, thiserror::Error)]
pub enum KeyOpError {
    /// Material that comes in isn't one of its type, or is too weak to be used.
    #[error("the key material is not one of its key type, its parts do not belong together, or it is too weak")]
    BadMaterial,
    /// The material of a key that exists can't be used: it is damaged, or of another type.
    #[error("the key material cannot be used by its key type")]
    UnusableMaterial,
    /// The plaintext is longer than the key can take.
    #[error("the plaintext is too long for the key")]
    TooLong,
    /// The ciphertext, its key or AAD isn't the one of the encryption.
    #[error("the ciphertext is not authentic")]
    NotAuthentic,
    /// Keys of this type have no such operation.
    #[error("keys of this type have no such operation")]
    Unsupported,
    /// A digest hasn't the length of its hash.
    #[error("the digest has not the length of its hash")]
    DigestLength,
    /// There is no randomness to be had.
    #[error("no random bytes could be had")]
    Entropy(#[from] EntropyError),
    /// The library failed.
    #[error("the cryptographic library failed")]
    Failed,
}

impl KeyOpError {
    /// What a KMS says of it.
    #[must_use]
    pub const fn kind(&self) -> KmsErrorKind {
        match self {
            Self::BadMaterial => KmsErrorKind::BadMaterial,
            Self::UnusableMaterial => KmsErrorKind::BadHandle,
            Self::TooLong => KmsErrorKind::TooLong,
            Self::NotAuthentic => KmsErrorKind::NotAuthentic,
            Self::Unsupported | Self::DigestLength => KmsErrorKind::Unsupported,
            Self::Entropy(_) | Self::Failed => KmsErrorKind::Unavailable,
        }
    }
}

impl From<AeadError> for KeyOpError {
    fn from(error: AeadError) -> Self {
        match error {
            AeadError::MaterialLength => Self::UnusableMaterial,
            AeadError::TooLong => Self::TooLong,
            AeadError::NotAuthentic => Self::NotAuthentic,
            AeadError::Unsupported => Self::Unsupported,
        }
    }
}

impl From<DeriveError> for KeyOpError {
    fn from(_: DeriveError) -> Self {
        Self::Failed
    }
}

impl From<Unspecified> for KeyOpError {
    fn from(_: Unspecified) -> Self {
        Self::Failed
    }
}
