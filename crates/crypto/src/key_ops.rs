//! The cryptography of every key type, as functions of the type and its key material.
//!
//! Material is plain bytes for symmetric and HMAC types, a PKCS#8 document (RFC 5958) in DER for the others. Nothing here keeps any:
//! it is parsed for every call, and the library wipes what it made of it.

mod digest;
mod ecdsa;
mod ed25519_key;
mod error;
mod hmac_key;
mod import;
mod pkcs8;
mod rsa;
mod symmetric;
mod wrapping;

pub use error::KeyOpError;
pub use import::check_import;
pub use wrapping::{generate_wrapping_key, unwrap_import, wrap_import, wrapping_public_key};

use crate::entropy::random_secret;
use aws_lc_rs::rsa::KeySize;
use ecdsa::Curve;
use strongroom_domain::kms::{HashAlgorithm, KeyType, PublicKey, SignInput};
use strongroom_domain::port::Entropy;
use strongroom_domain::value::SecretBytes;

/// Which functions a key type goes by.
enum Family {
    Symmetric,
    Rsa(KeySize),
    Ecdsa(Curve),
    Ed25519,
    Hmac(HashAlgorithm),
}

impl Family {
    const fn of(key_type: KeyType) -> Self {
        match key_type {
            KeyType::Aes128Gcm96 | KeyType::Aes256Gcm96 | KeyType::ChaCha20Poly1305 => Self::Symmetric,
            KeyType::Rsa2048 => Self::Rsa(KeySize::Rsa2048),
            KeyType::Rsa3072 => Self::Rsa(KeySize::Rsa3072),
            KeyType::Rsa4096 => Self::Rsa(KeySize::Rsa4096),
            KeyType::EcdsaP256 => Self::Ecdsa(Curve::P256),
            KeyType::EcdsaP384 => Self::Ecdsa(Curve::P384),
            KeyType::EcdsaP521 => Self::Ecdsa(Curve::P521),
            KeyType::Ed25519 => Self::Ed25519,
            KeyType::Hmac | KeyType::HmacSha256 => Self::Hmac(HashAlgorithm::Sha256),
            KeyType::HmacSha512 => Self::Hmac(HashAlgorithm::Sha512),
        }
    }
}

/// New key material: bytes of `entropy` where material is plain bytes. The others take their randomness from the library, whose
/// generator is seeded by the operating system. An RSA key takes from a tenth of a second to seconds.
///
/// # Errors
/// [`KeyOpError::Entropy`], and [`KeyOpError::Failed`] when the library fails.
pub fn generate(key_type: KeyType, entropy: &dyn Entropy) -> Result<SecretBytes, KeyOpError> {
    match (Family::of(key_type), key_type.material_len()) {
        (_, Some(len)) => Ok(random_secret(entropy, len)?),
        (Family::Rsa(size), None) => rsa::generate(size),
        (Family::Ecdsa(curve), None) => ecdsa::generate(curve),
        (Family::Ed25519, None) => ed25519_key::generate(),
        (Family::Symmetric | Family::Hmac(_), None) => Err(KeyOpError::Unsupported),
    }
}

/// Encrypts. Symmetric types bind `aad` and answer format 2: the format byte, 16 bytes of salt, 12 of nonce, ciphertext, 16 of tag.
/// RSA answers OAEP with SHA-256 and an empty label (RFC 8017 section 7.1), and can't bind `aad`.
///
/// # Errors
/// [`KeyOpError::TooLong`] for a plaintext that a key of this type can't take, [`KeyOpError::Unsupported`] for a type that doesn't encrypt,
/// [`KeyOpError::UnusableMaterial`], [`KeyOpError::Entropy`], [`KeyOpError::Failed`].
pub fn encrypt(
    key_type: KeyType,
    material: &[u8],
    entropy: &dyn Entropy,
    aad: &[u8],
    plain: &SecretBytes,
) -> Result<Vec<u8>, KeyOpError> {
    match Family::of(key_type) {
        Family::Symmetric => symmetric::encrypt(key_type, material, entropy, aad, plain),
        Family::Rsa(size) => rsa::encrypt(size, material, plain),
        Family::Ecdsa(_) | Family::Ed25519 | Family::Hmac(_) => Err(KeyOpError::Unsupported),
    }
}

/// Decrypts what [`encrypt`] gave, and for symmetric types also format 1: what [`seal_fresh`](crate::seal_fresh) gave.
///
/// # Errors
/// [`KeyOpError::NotAuthentic`] for a ciphertext or AAD that isn't as it was, [`KeyOpError::Unsupported`] for a type that doesn't
/// encrypt, [`KeyOpError::UnusableMaterial`], [`KeyOpError::Failed`].
pub fn decrypt(key_type: KeyType, material: &[u8], aad: &[u8], ciphertext: &[u8]) -> Result<SecretBytes, KeyOpError> {
    match Family::of(key_type) {
        Family::Symmetric => symmetric::decrypt(key_type, material, aad, ciphertext),
        Family::Rsa(size) => rsa::decrypt(size, material, ciphertext),
        Family::Ecdsa(_) | Family::Ed25519 | Family::Hmac(_) => Err(KeyOpError::Unsupported),
    }
}

/// Signs: RSA with PSS, its salt as long as the hash (RFC 8017 section 8.1); ECDSA (FIPS 186-5) in ASN.1 DER (RFC 3279 section 2.2.3);
/// Ed25519 (RFC 8032), which takes no notice of `input.hash`.
///
/// # Errors
/// [`KeyOpError::DigestLength`], [`KeyOpError::Unsupported`] for a type that doesn't sign and for a digest with Ed25519,
/// [`KeyOpError::UnusableMaterial`], [`KeyOpError::Failed`].
pub fn sign(key_type: KeyType, material: &[u8], input: &SignInput) -> Result<Vec<u8>, KeyOpError> {
    match Family::of(key_type) {
        Family::Rsa(size) => rsa::sign(size, material, input),
        Family::Ecdsa(curve) => ecdsa::sign(curve, material, input),
        Family::Ed25519 => ed25519_key::sign(material, input),
        Family::Symmetric | Family::Hmac(_) => Err(KeyOpError::Unsupported),
    }
}

/// Whether a signature is one that [`sign`] could have given.
///
/// # Errors
/// As [`sign`].
pub fn verify(key_type: KeyType, material: &[u8], input: &SignInput, signature: &[u8]) -> Result<bool, KeyOpError> {
    match Family::of(key_type) {
        Family::Rsa(size) => rsa::verify(size, material, input, signature),
        Family::Ecdsa(curve) => ecdsa::verify(curve, material, input, signature),
        Family::Ed25519 => ed25519_key::verify(material, input, signature),
        Family::Symmetric | Family::Hmac(_) => Err(KeyOpError::Unsupported),
    }
}

/// The HMAC of a message (RFC 2104), whole: 32 bytes with SHA-256, 64 with SHA-512.
///
/// # Errors
/// [`KeyOpError::Unsupported`] for a type that doesn't authenticate, [`KeyOpError::UnusableMaterial`].
pub fn mac(key_type: KeyType, material: &[u8], message: &[u8]) -> Result<Vec<u8>, KeyOpError> {
    match Family::of(key_type) {
        Family::Hmac(hash) => hmac_key::mac(hash, material, message),
        _ => Err(KeyOpError::Unsupported),
    }
}

/// Whether `mac` is the HMAC of a message; compared in constant time.
///
/// # Errors
/// As [`mac`].
pub fn verify_mac(key_type: KeyType, material: &[u8], message: &[u8], mac: &[u8]) -> Result<bool, KeyOpError> {
    match Family::of(key_type) {
        Family::Hmac(hash) => hmac_key::verify(hash, material, message, mac),
        _ => Err(KeyOpError::Unsupported),
    }
}

/// The public part of key material.
///
/// # Errors
/// [`KeyOpError::Unsupported`] for a type that has none, [`KeyOpError::UnusableMaterial`], [`KeyOpError::Failed`].
pub fn public_key(key_type: KeyType, material: &[u8]) -> Result<PublicKey, KeyOpError> {
    match Family::of(key_type) {
        Family::Rsa(size) => rsa::public_key(size, material),
        Family::Ecdsa(curve) => ecdsa::public_key(curve, material),
        Family::Ed25519 => ed25519_key::public_key(material),
        Family::Symmetric | Family::Hmac(_) => Err(KeyOpError::Unsupported),
    }
}

#[cfg(test)]
pub(crate) mod tests;
