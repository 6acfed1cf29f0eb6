//! The way of key material from outside: RSA-OAEP over an ephemeral AES-256 key, then the material under AES-KWP (RFC 5649) with it.

use super::{KeyOpError, rsa};
use crate::entropy::random_secret;
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512, OaepAlgorithm,
    PublicEncryptingKey,
};
use strongroom_domain::kms::PublicKey;
use strongroom_domain::port::{Entropy, OaepHash};
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

const WRAPPING_KEY: KeySize = KeySize::Rsa4096;
const EPHEMERAL_LEN: usize = 32;
/// How much longer AES-KWP may make its input: a block of 8 bytes in front, and up to 7 bytes of padding.
const KWP_OVERHEAD: usize = 15;

/// A new wrapping key: RSA-4096, as PKCS#8 in DER. Takes about a second.
///
/// # Errors
/// [`KeyOpError::Failed`] when the library fails.
pub fn generate_wrapping_key() -> Result<SecretBytes, KeyOpError> {
    rsa::generate(WRAPPING_KEY)
}

/// The public part of a wrapping key.
///
/// # Errors
/// [`KeyOpError::UnusableMaterial`] and [`KeyOpError::Failed`].
pub fn wrapping_public_key(pkcs8: &[u8]) -> Result<PublicKey, KeyOpError> {
    rsa::public_key(WRAPPING_KEY, pkcs8)
}

/// Unwraps material that was wrapped under a wrapping key: 512 bytes of RSA-OAEP, with `hash` for its label and MGF1 alike, then AES-KWP.
///
/// # Errors
/// [`KeyOpError::NotAuthentic`] for whatever is wrong with `wrapped` or `hash`, [`KeyOpError::UnusableMaterial`] for another `pkcs8`,
/// [`KeyOpError::Failed`].
pub fn unwrap_import(pkcs8: &[u8], hash: OaepHash, wrapped: &[u8]) -> Result<SecretBytes, KeyOpError> {
    let key = rsa::decrypting_key(pkcs8)?;
    if key.key_size_bytes() != WRAPPING_KEY.len() {
        return Err(KeyOpError::UnusableMaterial);
    }
    let (ephemeral, material) = wrapped.split_at_checked(WRAPPING_KEY.len()).ok_or(KeyOpError::NotAuthentic)?;
    let ephemeral = rsa::decrypt_under(key, oaep(hash), ephemeral)?;
    unwrap_padded(&ephemeral, material)
}

/// Wraps material under the public part of a wrapping key, a `SubjectPublicKeyInfo` in DER, as [`unwrap_import`] takes it.
///
/// # Errors
/// [`KeyOpError::BadMaterial`] for no material at all, [`KeyOpError::UnusableMaterial`] for a public key that isn't one of RSA,
/// [`KeyOpError::Entropy`], [`KeyOpError::Failed`].
pub fn wrap_import(
    public: &[u8],
    hash: OaepHash,
    entropy: &dyn Entropy,
    material: &SecretBytes,
) -> Result<Vec<u8>, KeyOpError> {
    if material.is_empty() {
        return Err(KeyOpError::BadMaterial);
    }
    let key = PublicEncryptingKey::from_der(public).map_err(|_| KeyOpError::UnusableMaterial)?;
    let ephemeral = random_secret(entropy, EPHEMERAL_LEN)?;
    let mut wrapped = rsa::encrypt_under(key, oaep(hash), &ephemeral)?;
    wrapped.extend(wrap_padded(&ephemeral, material.expose())?);
    Ok(wrapped)
}

pub(super) fn unwrap_padded(kek: &SecretBytes, wrapped: &[u8]) -> Result<SecretBytes, KeyOpError> {
    let kek = AesKek::new(&AES_256, kek.expose()).map_err(|_| KeyOpError::NotAuthentic)?;
    let mut plain = Zeroizing::new(vec![0; wrapped.len()]);
    let unwrapped = kek.unwrap_with_padding(wrapped, &mut plain).map_err(|_| KeyOpError::NotAuthentic)?;
    let len = unwrapped.len();
    plain.truncate(len);
    Ok(SecretBytes::new(plain))
}

pub(super) fn wrap_padded(kek: &SecretBytes, plain: &[u8]) -> Result<Vec<u8>, KeyOpError> {
    let mut wrapped = vec![0; plain.len() + KWP_OVERHEAD];
    let len = AesKek::new(&AES_256, kek.expose())?.wrap_with_padding(plain, &mut wrapped)?.len();
    wrapped.truncate(len);
    Ok(wrapped)
}

const fn oaep(hash: OaepHash) -> &'static OaepAlgorithm {
    match hash {
        OaepHash::Sha1 => &OAEP_SHA1_MGF1SHA1,
        OaepHash::Sha256 => &OAEP_SHA256_MGF1SHA256,
        OaepHash::Sha384 => &OAEP_SHA384_MGF1SHA384,
        OaepHash::Sha512 => &OAEP_SHA512_MGF1SHA512,
    }
}
