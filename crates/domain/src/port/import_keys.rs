use crate::failure::Failure;
use crate::kms::{HashAlgorithm, PublicKey};
use crate::root_key::SealedInstanceKey;
use crate::value::SecretBytes;
use async_trait::async_trait;

/// Why a wrapping key did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportKeyErrorKind {
    /// It can't be made or used now.
    Unavailable,
    /// The stored key is damaged, or sealed under another root key.
    Damaged,
    /// The wrapped material isn't for this key and hash, or is damaged. Nothing more is ever told.
    NotAuthentic,
}

/// A wrapping key did not do it.
pub type ImportKeyError = Failure<ImportKeyErrorKind>;

/// The hash of RSA-OAEP in a wrapping (RFC 8017 section 7.1), for the label and for MGF1 alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OaepHash {
    /// SHA-1, which older HSMs know alone; OAEP doesn't need it to withstand collisions.
    Sha1,
    /// One of SHA-2.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl OaepHash {
    /// The one of this name: `sha1`, or as [`HashAlgorithm::parse`] reads it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if matches!(name.to_ascii_lowercase().as_str(), "sha1" | "sha-1") {
            return Some(Self::Sha1);
        }
        Some(match HashAlgorithm::parse(name)? {
            HashAlgorithm::Sha256 => Self::Sha256,
            HashAlgorithm::Sha384 => Self::Sha384,
            HashAlgorithm::Sha512 => Self::Sha512,
        })
    }
}

/// The key under which material comes in that was made elsewhere: RSA-4096, kept as an instance key.
///
/// # Errors
/// Of every method: [`ImportKeyErrorKind::Unavailable`] when a key can't be made or used now. Of those that take a stored key:
/// [`ImportKeyErrorKind::Damaged`] when it doesn't open.
#[async_trait]
pub trait ImportKeys: Send + Sync {
    /// Makes a wrapping key, sealed to be stored.
    async fn generate(&self) -> Result<SealedInstanceKey, ImportKeyError>;

    /// Its public part.
    async fn public_key(&self, key: &SealedInstanceKey) -> Result<PublicKey, ImportKeyError>;

    /// Unwraps material: RSA-OAEP over an ephemeral AES-256 key, as long as the modulus, followed by the material under AES-KWP (RFC 5649)
    /// with that key.
    ///
    /// - Answers [`ImportKeyErrorKind::NotAuthentic`], the same for every cause, for bytes that are cut, extended or flipped, another wrapping
    ///   key, or another hash.
    async fn unwrap(
        &self,
        key: &SealedInstanceKey,
        hash: OaepHash,
        wrapped: &[u8],
    ) -> Result<SecretBytes, ImportKeyError>;
}
