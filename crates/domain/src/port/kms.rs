use crate::failure::Failure;
use crate::kms::{KeyHandle, KeySpec, KeyVersion, KeyVersionNumber, PublicKey, SignInput};
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
    /// The handle is one of another kind of KMS: the region's keys are kept elsewhere, and this is not how the region is to be configured.
    OtherKms,
    /// The plaintext is longer than a key of this type takes.
    TooLong,
    /// The material is not one of the key's type, or too weak to be used.
    BadMaterial,
    /// This KMS has no such operation for keys of this type.
    Unsupported,
}

/// A KMS did not do it.
pub type KmsError = Failure<KmsErrorKind>;

/// The key management service of a region. It keeps nothing of ours: key records, with the handles that find the key material
/// again, stand in the store.
///
/// # Errors
/// Of every method: [`KmsErrorKind::Unavailable`] when the KMS can't be reached, or what it needs can't be used now. Of every method that takes a
/// key version or a handle: [`KmsErrorKind::BadHandle`] when its material can't be found or opened, [`KmsErrorKind::OtherKms`] when it
/// tells that it is of another kind of KMS. [`KmsErrorKind::Unsupported`] where the KMS itself has no such operation for the type of the key. What a method answers
/// besides, it says.
#[async_trait]
pub trait Kms: Send + Sync {
    /// Makes the material of the first version of a new key.
    ///
    /// - The handle finds the material again for as long as it isn't erased.
    /// - Two keys never share material.
    async fn create(&self, spec: &KeySpec) -> Result<KeyHandle, KmsError>;

    /// Takes material that was made elsewhere as the first version of a new key: plain bytes for symmetric types, PKCS#8 (RFC 5958) in
    /// DER for the others.
    ///
    /// - The key does what one of its type does that was made here.
    /// - Answers [`KmsErrorKind::BadMaterial`] for another length or type, for RSA also for another modulus length than the type's, an even
    ///   or small public exponent, or parts that don't belong together.
    async fn import(&self, spec: &KeySpec, material: &SecretBytes) -> Result<KeyHandle, KmsError>;

    /// Makes the material of version `next` of a key whose newest version is `latest`.
    ///
    /// - The handles of earlier versions stay good.
    /// - The new version shares no material with the others.
    /// - Asked again after an answer that was lost, it gives a handle that is as good.
    async fn rotate(&self, spec: &KeySpec, latest: &KeyVersion, next: KeyVersionNumber) -> Result<KeyHandle, KmsError>;

    /// Encrypts under a key version of a type that [encrypts](crate::kms::KeyType::encrypts).
    ///
    /// - Encrypting twice gives different ciphertexts.
    /// - With a symmetric key the AAD is authenticated with the plaintext. RSA can't bind it: it is RSA-OAEP with SHA-256 and without a label
    ///   (RFC 8017 section 7.1), so that what is encrypted elsewhere with the public key decrypts here.
    /// - Answers [`KmsErrorKind::TooLong`] when RSA can't hold the plaintext.
    /// - Answers [`KmsErrorKind::Unsupported`] for a type that doesn't encrypt.
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

    /// Signs under a key version of a type that [signs](crate::kms::KeyType::signs): RSA with PSS, the salt as long as the hash (RFC 8017
    /// section 8.1); ECDSA in ASN.1 DER (RFC 3279 section 2.2.3); Ed25519 pure (RFC 8032), whatever the input says of a hash.
    ///
    /// - The signature verifies under the public key, here and elsewhere.
    /// - A message and its digest, marked as one, have the same meaning.
    /// - Answers [`KmsErrorKind::Unsupported`] for a type that doesn't sign, and for a digest with Ed25519.
    async fn sign(&self, spec: &KeySpec, version: &KeyVersion, input: &SignInput) -> Result<Vec<u8>, KmsError>;

    /// Whether a signature is one of this key version over this input.
    ///
    /// - A signature that was cut, extended or flipped, or is of another key, version, message or hash, is not.
    async fn verify(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        input: &SignInput,
        signature: &[u8],
    ) -> Result<bool, KmsError>;

    /// The HMAC of a message under a key version of a type that [authenticates](crate::kms::KeyType::authenticates) (RFC 2104): whole,
    /// never cut.
    ///
    /// - The same message has the same HMAC.
    /// - Answers [`KmsErrorKind::Unsupported`] for another type.
    async fn mac(&self, spec: &KeySpec, version: &KeyVersion, message: &[u8]) -> Result<Vec<u8>, KmsError>;

    /// Whether `mac` is the HMAC of a message under a key version; compared in constant time.
    ///
    /// - One that was cut, extended or flipped, or is of another key, version or message, is not.
    async fn verify_mac(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        message: &[u8],
        mac: &[u8],
    ) -> Result<bool, KmsError>;

    /// The public part of a key version.
    ///
    /// - Answers [`KmsErrorKind::Unsupported`] for a type that has none.
    async fn public_key(&self, spec: &KeySpec, version: &KeyVersion) -> Result<PublicKey, KmsError>;

    /// The material of a key version, as [`import`](Self::import) takes it; the caller has checked that the key allows it.
    ///
    /// - Answers [`KmsErrorKind::BadHandle`] for a spec that doesn't allow it.
    async fn export(&self, spec: &KeySpec, version: &KeyVersion) -> Result<SecretBytes, KmsError>;

    /// The handle anew, when something of it is sealed under a root key that isn't the present one any more. `None` when nothing is.
    ///
    /// - The new handle finds the same material.
    async fn reseal(&self, spec: &KeySpec, version: &KeyVersion) -> Result<Option<KeyHandle>, KmsError>;

    /// Erases what the KMS itself keeps for a handle; erasing again succeeds.
    ///
    /// - A KMS that keeps material answers [`KmsErrorKind::BadHandle`] for the handle from then on; one whose material is in the handle
    ///   has nothing to erase.
    async fn erase(&self, handle: &KeyHandle) -> Result<(), KmsError>;

    /// Whether the KMS can be used now.
    async fn check(&self) -> Result<(), KmsError>;
}
