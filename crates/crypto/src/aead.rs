//! The AEADs of the key types.

use aes_gcm::aead::common::InvalidLength;
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes128Gcm, Aes256Gcm, KeyInit};
use chacha20poly1305::ChaCha20Poly1305;
use strongroom_domain::envelope::{Nonce, TAG_LEN};
use strongroom_domain::kms::KeyType;
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

/// Why an AEAD did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AeadError {
    /// The key material hasn't the length of its type.
    #[error("the key material has not the length of its key type")]
    MaterialLength,
    /// Plaintext or AAD pass the limits of the algorithm.
    #[error("the plaintext or its additional data is too long for the algorithm")]
    TooLong,
    /// The ciphertext, its key, nonce or AAD isn't the one of the sealing.
    #[error("the ciphertext is not authentic")]
    NotAuthentic,
    /// The key type is no AEAD.
    #[error("keys of this type do not encrypt with associated data")]
    Unsupported,
}

/// Encrypts under key material of this type; the answer is as long as the plaintext plus the 16-byte tag at its end.
///
/// The caller answers for the nonce: under one key, none may come twice.
///
/// # Errors
/// [`AeadError::MaterialLength`], [`AeadError::TooLong`], and [`AeadError::Unsupported`] for a key type that isn't symmetric.
pub fn seal(
    key_type: KeyType,
    material: &[u8],
    nonce: &Nonce,
    aad: &[u8],
    plain: &SecretBytes,
) -> Result<Vec<u8>, AeadError> {
    seal_after(&[], key_type, material, nonce, aad, plain)
}

/// Decrypts what [`seal`] gave.
///
/// # Errors
/// [`AeadError::MaterialLength`], [`AeadError::Unsupported`] for a key type that isn't symmetric, and [`AeadError::NotAuthentic`] for
/// anything else that isn't as it was.
pub fn open(
    key_type: KeyType,
    material: &[u8],
    nonce: &Nonce,
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<SecretBytes, AeadError> {
    match key_type {
        KeyType::Aes128Gcm96 => open_with(Aes128Gcm::new_from_slice(material), nonce, aad, ciphertext),
        KeyType::Aes256Gcm96 => open_with(Aes256Gcm::new_from_slice(material), nonce, aad, ciphertext),
        KeyType::ChaCha20Poly1305 => open_with(ChaCha20Poly1305::new_from_slice(material), nonce, aad, ciphertext),
        _ => Err(AeadError::Unsupported),
    }
}

/// As [`seal`], the answer beginning with `prefix`.
pub(crate) fn seal_after(
    prefix: &[u8],
    key_type: KeyType,
    material: &[u8],
    nonce: &Nonce,
    aad: &[u8],
    plain: &SecretBytes,
) -> Result<Vec<u8>, AeadError> {
    match key_type {
        KeyType::Aes128Gcm96 => seal_with(Aes128Gcm::new_from_slice(material), prefix, nonce, aad, plain),
        KeyType::Aes256Gcm96 => seal_with(Aes256Gcm::new_from_slice(material), prefix, nonce, aad, plain),
        KeyType::ChaCha20Poly1305 => seal_with(ChaCha20Poly1305::new_from_slice(material), prefix, nonce, aad, plain),
        _ => Err(AeadError::Unsupported),
    }
}

/// Encrypts straight from the plaintext into the answer, so no buffer in between ever holds plaintext.
fn seal_with<A: AeadInOut<NonceSize = U12, TagSize = U16>>(
    cipher: Result<A, InvalidLength>,
    prefix: &[u8],
    nonce: &Nonce,
    aad: &[u8],
    plain: &SecretBytes,
) -> Result<Vec<u8>, AeadError> {
    let cipher = cipher.map_err(|_| AeadError::MaterialLength)?;
    let mut sealed = Vec::with_capacity(prefix.len() + plain.len() + TAG_LEN);
    sealed.extend_from_slice(prefix);
    sealed.resize(prefix.len() + plain.len(), 0);
    let buffer = InOutBuf::new(plain.expose(), &mut sealed[prefix.len()..]).map_err(|_| AeadError::TooLong)?;
    let tag = cipher.encrypt_inout_detached(nonce.into(), aad, buffer).map_err(|_| AeadError::TooLong)?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

fn open_with<A: AeadInOut<NonceSize = U12, TagSize = U16>>(
    cipher: Result<A, InvalidLength>,
    nonce: &Nonce,
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<SecretBytes, AeadError> {
    let cipher = cipher.map_err(|_| AeadError::MaterialLength)?;
    let (encrypted, tag) = ciphertext.split_last_chunk::<TAG_LEN>().ok_or(AeadError::NotAuthentic)?;
    let mut plain = Zeroizing::new(vec![0; encrypted.len()]);
    let buffer = InOutBuf::new(encrypted, &mut plain).map_err(|_| AeadError::NotAuthentic)?;
    cipher.decrypt_inout_detached(nonce.into(), aad, buffer, tag.into()).map_err(|_| AeadError::NotAuthentic)?;
    Ok(SecretBytes::new(plain))
}

#[cfg(test)]
mod tests;
