use crate::root_key::{KeyCheck, RootKeyId, SealedInstanceKey};
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

/// The key above all others: it seals instance keys and the material of a software KMS. While it is being replaced there are several: one
/// that seals, and others that only open what they sealed before.
pub trait RootKey: Send + Sync {
    /// Names the key that seals.
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

    /// What was sealed under another key than the one that seals now, sealed under that one; `None` when it is so already.
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`seal`](Self::seal).
    fn reseal(&self, aad: &[u8], sealed: &[u8]) -> Result<Option<Vec<u8>>, RootKeyError>;
}

/// The root keys of a node, while one takes the place of another.
pub trait RootKeys: Send + Sync {
    /// The one that seals.
    fn current(&self) -> RootKeyId;

    /// The one that is to seal: the youngest that the node was given.
    fn newest(&self) -> RootKeyId;

    /// Makes this one seal from now on; the others go on opening. `false` when the node wasn't given it: then nothing seals until it is.
    fn switch_to(&self, id: RootKeyId) -> bool;

    /// The check to store when this one becomes the store's.
    ///
    /// # Errors
    /// [`RootKeyError::Unavailable`], also when the node wasn't given it.
    fn check_of(&self, id: RootKeyId) -> Result<KeyCheck, RootKeyError>;

    /// An instance key, sealed under the key that seals; `None` when it is so already.
    ///
    /// # Errors
    /// As [`RootKey::reseal`].
    fn reseal(&self, key: &SealedInstanceKey) -> Result<Option<SealedInstanceKey>, RootKeyError>;
}
