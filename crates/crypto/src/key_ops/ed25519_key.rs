use super::KeyOpError;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use strongroom_domain::kms::{PublicKey, SignInput};
use strongroom_domain::value::SecretBytes;

pub(super) fn generate() -> Result<SecretBytes, KeyOpError> {
    to_pkcs8(&Ed25519KeyPair::generate()?)
}

pub(super) fn check_import(material: &[u8]) -> Result<SecretBytes, KeyOpError> {
    to_pkcs8(&Ed25519KeyPair::from_pkcs8(material).map_err(|_| KeyOpError::BadMaterial)?)
}

pub(super) fn sign(material: &[u8], input: &SignInput) -> Result<Vec<u8>, KeyOpError> {
    let message = message(input)?;
    Ok(pair(material)?.sign(message).as_ref().to_vec())
}

pub(super) fn verify(material: &[u8], input: &SignInput, signature: &[u8]) -> Result<bool, KeyOpError> {
    let message = message(input)?;
    Ok(verify_under(pair(material)?.public_key().as_ref(), message, signature))
}

pub(super) fn verify_under(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
}

pub(super) fn public_key(material: &[u8]) -> Result<PublicKey, KeyOpError> {
    let public = pair(material)?.public_key().as_ref().try_into().map_err(|_| KeyOpError::Failed)?;
    Ok(PublicKey::Ed25519(public))
}

/// A digest can't be signed: Ed25519 hashes the message together with a part of the key.
fn message(input: &SignInput) -> Result<&[u8], KeyOpError> {
    if input.prehashed { Err(KeyOpError::Unsupported) } else { Ok(input.bytes.expose()) }
}

fn pair(material: &[u8]) -> Result<Ed25519KeyPair, KeyOpError> {
    Ed25519KeyPair::from_pkcs8(material).map_err(|_| KeyOpError::UnusableMaterial)
}

/// Version 1, without the public key, which every tool reads.
fn to_pkcs8(pair: &Ed25519KeyPair) -> Result<SecretBytes, KeyOpError> {
    Ok(SecretBytes::copy_of(pair.to_pkcs8v1()?.as_ref()))
}
