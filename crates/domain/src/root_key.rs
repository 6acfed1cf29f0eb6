//! The root key's records in a store, and the instance keys under it.

use crate::canonical::Encoder;
use core::fmt;

/// Names a root key without telling anything of it: the first 16 bytes of an HMAC under the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RootKeyId(pub [u8; 16]);

impl fmt::Display for RootKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Proves, before anything is written, that a store and a root key belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCheck {
    /// The root key that the store was set up with.
    pub root_key: RootKeyId,
    /// A constant, sealed under it.
    pub sealed: Vec<u8>,
}

/// What an instance key is for. No key serves two purposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InstanceKeyPurpose {
    /// Keyed digests of opaque tokens.
    TokenDigest,
    /// Keyed digests of requests that carry an idempotency key.
    AnswerDigest,
    /// Signatures over the audit log (Ed25519 seed).
    AuditSigning,
    /// Signatures over access tokens (Ed25519 seed).
    TokenSigning,
    /// Unwraps key material that was made elsewhere (RSA-4096, PKCS#8).
    ByokWrapping,
}

impl InstanceKeyPurpose {
    /// Every purpose.
    pub const ALL: [Self; 5] =
        [Self::TokenDigest, Self::AnswerDigest, Self::AuditSigning, Self::TokenSigning, Self::ByokWrapping];

    /// The name in stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokenDigest => "token-digest",
            Self::AnswerDigest => "answer-digest",
            Self::AuditSigning => "audit-signing",
            Self::TokenSigning => "token-signing",
            Self::ByokWrapping => "byok-wrapping",
        }
    }

    /// The purpose of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }
}

/// An instance key as it is stored: 32 bytes, for [`InstanceKeyPurpose::ByokWrapping`] a PKCS#8 document, sealed under the root key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedInstanceKey {
    /// What it is for.
    pub purpose: InstanceKeyPurpose,
    /// Its version, from 1.
    pub version: u32,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
    /// For a signing key the public key, 32 bytes, so that what it signed can be verified without the root key.
    pub public: Option<[u8; 32]>,
}

/// The AAD of a sealed instance key: purpose and version.
#[must_use]
pub fn instance_key_aad(purpose: InstanceKeyPurpose, version: u32) -> Vec<u8> {
    let mut to = Encoder::new("strongroom instance key", 1);
    to.text(purpose.as_str()).number(u64::from(version));
    to.finish()
}

/// The AAD of a key check: the root key that it is sealed under.
#[must_use]
pub fn key_check_aad(root_key: &RootKeyId) -> Vec<u8> {
    let mut to = Encoder::new("strongroom key check", 1);
    to.bytes(&root_key.0);
    to.finish()
}
