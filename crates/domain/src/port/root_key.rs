use crate::root_key::RootKeyId;
use crate::value::SecretBytes;

/// The root key did not seal or open.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// The bytes were sealed under another root key, for another use, or are damaged.
    #[error("the sealed bytes do not open under this root key")]
    NotAuthentic,
    /// The key can't be used now.
    #[error("the root key cannot be used")]
    Unavailable(#[source] Box<dyn core::error::Error + Send + Sync>),
}

/// The key above all others: it seals instance keys and the material of a software KMS.
pub trait RootKey: Send + Sync {
    /// Names the key.
    fn id(&self) -> RootKeyId;

    /// Encrypts, binding the AAD.
    ///
    /// # Errors
    /// [`RootKeyError::Unavailable`].
    fn seal(&self, aad: &[u8], plain: &SecretBytes) -> Result<Vec<u8>, RootKeyError>;

    /// Decrypts what [`seal`](Self::seal) gave.
    ///
    /// # Errors
    /// [`RootKeyError::NotAuthentic`] under another key or AAD, or for damaged bytes.
    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<SecretBytes, RootKeyError>;
}
