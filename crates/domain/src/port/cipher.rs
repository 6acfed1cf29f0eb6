use crate::envelope::{DataKey, Nonce};
use crate::value::SecretBytes;

/// A ciphertext that doesn't open: it, its key or its AAD is another. No more is known, and no more is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ciphertext is not authentic")]
pub struct CipherError;

/// Encrypts values under data keys: AES-256-GCM.
pub trait PayloadCipher: Send + Sync {
    /// Encrypts; the answer ends in the 16-byte tag.
    ///
    /// # Errors
    /// [`CipherError`] when the plaintext is too long for the algorithm.
    fn seal(&self, key: &DataKey, nonce: &Nonce, aad: &[u8], plain: &SecretBytes) -> Result<Vec<u8>, CipherError>;

    /// Decrypts and authenticates.
    ///
    /// # Errors
    /// [`CipherError`] when key, nonce, AAD or ciphertext isn't the one of the sealing.
    fn open(&self, key: &DataKey, nonce: &Nonce, aad: &[u8], ciphertext: &[u8]) -> Result<SecretBytes, CipherError>;
}

/// A digest under a key of its own: HMAC-SHA-256.
pub trait KeyedDigest: Send + Sync {
    /// The digest of these bytes. Callers that digest several fields encode them canonically first.
    fn digest(&self, bytes: &[u8]) -> [u8; 32];

    /// The version of the key.
    fn key_version(&self) -> u32;
}
