use crate::failure::Failure;
use crate::kms::{KeyHandle, KeySpec, KeyVersion, KeyVersionNumber};
use crate::value::SecretBytes;
use async_trait::async_trait;

/// Why a KMS did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KmsErrorKind {
    /// Out of reach, timed out or broken; nothing happened that matters, and trying later is right.
    Unavailable,
    /// The ciphertext isn't one of this key version with this AAD.
    NotAuthentic,
    /// The handle or its material can't be used: damaged, or sealed under another root key or for another key.
    BadHandle,
}

/// A KMS did not do it.
pub type KmsError = Failure<KmsErrorKind>;

/// The key management service of a region. It keeps nothing of ours: key records, with the handles that find the key material
/// again, stand in the store.
#[async_trait]
pub trait Kms: Send + Sync {
    /// Makes the material of the first version of a new key.
    ///
    /// - The handle finds the material again for as long as it isn't erased.
    /// - Two keys never share material.
    async fn create(&self, spec: &KeySpec) -> Result<KeyHandle, KmsError>;

    /// Makes the material of version `next` of a key whose newest version is `latest`.
    ///
    /// - The handles of earlier versions stay good.
    /// - The new version shares no material with the others.
    async fn rotate(&self, spec: &KeySpec, latest: &KeyVersion, next: KeyVersionNumber) -> Result<KeyHandle, KmsError>;

    /// Encrypts under a key version.
    ///
    /// - Encrypting twice gives different ciphertexts.
    /// - The AAD is authenticated with the plaintext.
    async fn encrypt(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        aad: &[u8],
        plain: &SecretBytes,
    ) -> Result<Vec<u8>, KmsError>;

    /// Decrypts under a key version.
    ///
    /// - Gives the plaintext back under the same spec, version and AAD.
    /// - Answers [`KmsErrorKind::NotAuthentic`] for a ciphertext that was cut, extended or flipped, is of another key or version, or
    ///   had another AAD.
    /// - Answers [`KmsErrorKind::BadHandle`] for a handle of another key, type, scope or version, or a damaged one.
    async fn decrypt(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<SecretBytes, KmsError>;

    /// Erases what the KMS itself keeps for a handle; erasing again succeeds.
    ///
    /// - A KMS that keeps material answers [`KmsErrorKind::BadHandle`] for the handle from then on; one whose material is in the handle
    ///   has nothing to erase.
    async fn erase(&self, handle: &KeyHandle) -> Result<(), KmsError>;

    /// Whether the KMS can be used now.
    async fn check(&self) -> Result<(), KmsError>;
}
