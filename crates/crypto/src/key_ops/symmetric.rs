//! Format 2: every message has a key of its own, derived from the key material and a random salt. Salt and nonce would both have to
//! come twice before two messages shared key and nonce, so a key has no number of encryptions that it must not pass.

use super::KeyOpError;
use crate::aead::{AeadError, open, seal_after};
use crate::derive::derive_with_salt;
use crate::sealed::open_sealed;
use strongroom_domain::envelope::{NONCE_LEN, Nonce};
use strongroom_domain::kms::KeyType;
use strongroom_domain::port::Entropy;
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

/// The first byte: format 2.
const FORMAT: u8 = 2;
const SALT_LEN: usize = 16;
const LABEL: &[u8] = b"strongroom message key v1";

pub(super) fn encrypt(
    key_type: KeyType,
    material: &[u8],
    entropy: &dyn Entropy,
    aad: &[u8],
    plain: &SecretBytes,
) -> Result<Vec<u8>, KeyOpError> {
    let mut prefix = [FORMAT; 1 + SALT_LEN + NONCE_LEN];
    let (_, random) = prefix.split_at_mut(1);
    entropy.fill(random)?;
    let (salt, nonce) = random.split_at(SALT_LEN);
    let nonce: Nonce = nonce.try_into().map_err(|_| KeyOpError::Failed)?;
    let key = message_key(key_type, material, salt)?;
    Ok(seal_after(&prefix, key_type, &key, &nonce, aad, plain)?)
}

pub(super) fn decrypt(
    key_type: KeyType,
    material: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<SecretBytes, KeyOpError> {
    let Some(rest) = ciphertext.strip_prefix(&[FORMAT]) else {
        return Ok(open_sealed(key_type, material, aad, ciphertext)?);
    };
    let (salt, rest) = rest.split_first_chunk::<SALT_LEN>().ok_or(KeyOpError::NotAuthentic)?;
    let (nonce, sealed) = rest.split_first_chunk().ok_or(KeyOpError::NotAuthentic)?;
    let key = message_key(key_type, material, salt)?;
    Ok(open(key_type, &key, nonce, aad, sealed)?)
}

fn message_key(key_type: KeyType, material: &[u8], salt: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyOpError> {
    if key_type.material_len() != Some(material.len()) {
        return Err(AeadError::MaterialLength.into());
    }
    Ok(derive_with_salt(salt, material, &[LABEL, key_type.as_str().as_bytes()], material.len())?)
}
