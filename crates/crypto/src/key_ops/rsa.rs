use super::KeyOpError;
use super::digest::digest_of;
use super::pkcs8::rsa_factors;
use aws_lc_rs::digest::Digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    KeyPair, KeySize, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
    PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaParameters, RsaSignatureEncoding, UnparsedPublicKey,
};
use strongroom_domain::kms::{HashAlgorithm, PublicKey, SignInput};
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

/// The smallest public exponent (NIST SP 800-56B section 6.2), which is also the one of generated keys.
const MIN_EXPONENT: u64 = 65_537;
/// The factors differ by more than 2 to the power of half the modulus' length less 100 bits (FIPS 186-5 appendix A.1.3), or Fermat's method
/// finds them. Of the first 128 bits that is this much.
const MIN_DISTANCE: u128 = 1 << 28;

pub(super) fn generate(size: KeySize) -> Result<SecretBytes, KeyOpError> {
    to_pkcs8(&KeyPair::generate(size)?)
}

pub(super) fn check_import(size: KeySize, material: &[u8]) -> Result<SecretBytes, KeyOpError> {
    let pair = KeyPair::from_pkcs8(material).map_err(|_| KeyOpError::BadMaterial)?;
    let (modulus, exponent) = (pair.public_key().modulus(), pair.public_key().exponent());
    let modulus = modulus.big_endian_without_leading_zero();
    let exponent = exponent.big_endian_without_leading_zero();
    let has_size = modulus.len() == size.len() && modulus.first().is_some_and(|first| *first >= 0x80);
    if !has_size || !is_good_exponent(exponent) {
        return Err(KeyOpError::BadMaterial);
    }
    let material = to_pkcs8(&pair)?;
    let (p, q) = rsa_factors(material.expose()).ok_or(KeyOpError::BadMaterial)?;
    if !are_good_factors(size, p, q) {
        return Err(KeyOpError::BadMaterial);
    }
    Ok(material)
}

fn is_good_exponent(exponent: &[u8]) -> bool {
    let value = exponent.iter().try_fold(0_u64, |value, byte| Some(value.checked_mul(256)? | u64::from(*byte)));
    value.is_some_and(|value| value % 2 == 1 && value >= MIN_EXPONENT)
}

/// Whether both have half the length of the modulus, and are not close to each other. That they make it up is known already.
fn are_good_factors(size: KeySize, p: &[u8], q: &[u8]) -> bool {
    let has_length =
        |factor: &[u8]| factor.len() == size.len() / 2 && factor.first().is_some_and(|first| *first >= 0x80);
    let start = |factor: &[u8]| factor.first_chunk().map(|bytes| u128::from_be_bytes(*bytes));
    let distance = start(p).zip(start(q)).map(|(p, q)| p.abs_diff(q));
    has_length(p) && has_length(q) && distance.is_some_and(|distance| distance > MIN_DISTANCE)
}

pub(super) fn encrypt(size: KeySize, material: &[u8], plain: &SecretBytes) -> Result<Vec<u8>, KeyOpError> {
    let key = decrypting_key(material)?;
    if key.key_size_bytes() != size.len() {
        return Err(KeyOpError::UnusableMaterial);
    }
    encrypt_under(key.public_key(), &OAEP_SHA256_MGF1SHA256, plain)
}

pub(super) fn decrypt(size: KeySize, material: &[u8], ciphertext: &[u8]) -> Result<SecretBytes, KeyOpError> {
    let key = decrypting_key(material)?;
    if key.key_size_bytes() != size.len() {
        return Err(KeyOpError::UnusableMaterial);
    }
    decrypt_under(key, &OAEP_SHA256_MGF1SHA256, ciphertext)
}

pub(super) fn decrypting_key(material: &[u8]) -> Result<PrivateDecryptingKey, KeyOpError> {
    PrivateDecryptingKey::from_pkcs8(material).map_err(|_| KeyOpError::UnusableMaterial)
}

pub(super) fn encrypt_under(
    key: PublicEncryptingKey,
    algorithm: &'static OaepAlgorithm,
    plain: &SecretBytes,
) -> Result<Vec<u8>, KeyOpError> {
    let key = OaepPublicEncryptingKey::new(key)?;
    if plain.len() > key.max_plaintext_size(algorithm) {
        return Err(KeyOpError::TooLong);
    }
    let mut ciphertext = vec![0; key.ciphertext_size()];
    let len = key.encrypt(algorithm, plain.expose(), &mut ciphertext, None)?.len();
    ciphertext.truncate(len);
    Ok(ciphertext)
}

pub(super) fn decrypt_under(
    key: PrivateDecryptingKey,
    algorithm: &'static OaepAlgorithm,
    ciphertext: &[u8],
) -> Result<SecretBytes, KeyOpError> {
    let key = OaepPrivateDecryptingKey::new(key)?;
    if ciphertext.len() != key.key_size_bytes() {
        return Err(KeyOpError::NotAuthentic);
    }
    let mut plain = Zeroizing::new(vec![0; key.min_output_size()]);
    let decrypted = key.decrypt(algorithm, ciphertext, &mut plain, None).map_err(|_| KeyOpError::NotAuthentic)?;
    let len = decrypted.len();
    plain.truncate(len);
    Ok(SecretBytes::new(plain))
}

pub(super) fn sign(size: KeySize, material: &[u8], input: &SignInput) -> Result<Vec<u8>, KeyOpError> {
    let digest = digest_of(input)?;
    let pair = pair(size, material)?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign_digest(signing(input.hash), &digest, &mut signature)?;
    Ok(signature)
}

pub(super) fn verify(size: KeySize, material: &[u8], input: &SignInput, signature: &[u8]) -> Result<bool, KeyOpError> {
    let digest = digest_of(input)?;
    Ok(verify_under(pair(size, material)?.public_key().as_ref(), input.hash, &digest, signature))
}

/// `public` is an `RSAPublicKey` or a `SubjectPublicKeyInfo` in DER.
pub(super) fn verify_under(public: &[u8], hash: HashAlgorithm, digest: &Digest, signature: &[u8]) -> bool {
    UnparsedPublicKey::new(verification(hash), public).verify_digest(digest, signature).is_ok()
}

pub(super) fn public_key(size: KeySize, material: &[u8]) -> Result<PublicKey, KeyOpError> {
    let der: PublicKeyX509Der<'_> = pair(size, material)?.public_key().as_der()?;
    Ok(PublicKey::Spki(der.as_ref().to_vec()))
}

fn pair(size: KeySize, material: &[u8]) -> Result<KeyPair, KeyOpError> {
    KeyPair::from_pkcs8(material)
        .ok()
        .filter(|pair| pair.public_modulus_len() == size.len())
        .ok_or(KeyOpError::UnusableMaterial)
}

fn to_pkcs8(pair: &KeyPair) -> Result<SecretBytes, KeyOpError> {
    let der: Pkcs8V1Der<'_> = pair.as_der()?;
    Ok(SecretBytes::copy_of(der.as_ref()))
}

const fn signing(hash: HashAlgorithm) -> &'static RsaSignatureEncoding {
    match hash {
        HashAlgorithm::Sha256 => &RSA_PSS_SHA256,
        HashAlgorithm::Sha384 => &RSA_PSS_SHA384,
        HashAlgorithm::Sha512 => &RSA_PSS_SHA512,
    }
}

const fn verification(hash: HashAlgorithm) -> &'static RsaParameters {
    match hash {
        HashAlgorithm::Sha256 => &RSA_PSS_2048_8192_SHA256,
        HashAlgorithm::Sha384 => &RSA_PSS_2048_8192_SHA384,
        HashAlgorithm::Sha512 => &RSA_PSS_2048_8192_SHA512,
    }
}
