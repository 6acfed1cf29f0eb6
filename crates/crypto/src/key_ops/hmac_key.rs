use super::KeyOpError;
use aws_lc_rs::hmac::{HMAC_SHA256, HMAC_SHA384, HMAC_SHA512, Key, sign, verify as verify_tag};
use strongroom_domain::kms::HashAlgorithm;

pub(super) fn mac(hash: HashAlgorithm, material: &[u8], message: &[u8]) -> Result<Vec<u8>, KeyOpError> {
    check(hash, material)?;
    Ok(mac_under(hash, material, message))
}

pub(super) fn verify(hash: HashAlgorithm, material: &[u8], message: &[u8], mac: &[u8]) -> Result<bool, KeyOpError> {
    check(hash, material)?;
    Ok(verify_tag(&key(hash, material), message, mac).is_ok())
}

pub(super) fn mac_under(hash: HashAlgorithm, material: &[u8], message: &[u8]) -> Vec<u8> {
    sign(&key(hash, material), message).as_ref().to_vec()
}

/// Material is as long as the digest.
fn check(hash: HashAlgorithm, material: &[u8]) -> Result<(), KeyOpError> {
    if material.len() == hash.digest_len() { Ok(()) } else { Err(KeyOpError::UnusableMaterial) }
}

fn key(hash: HashAlgorithm, material: &[u8]) -> Key {
    let algorithm = match hash {
        HashAlgorithm::Sha256 => HMAC_SHA256,
        HashAlgorithm::Sha384 => HMAC_SHA384,
        HashAlgorithm::Sha512 => HMAC_SHA512,
    };
    Key::new(algorithm, material)
}
