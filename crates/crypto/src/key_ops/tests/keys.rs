//! One key of each type.

use data_encoding::HEXLOWER;
use strongroom_domain::kms::{HashAlgorithm, KeyType, SignInput};
use strongroom_domain::port::{Entropy, EntropyError};
use strongroom_domain::value::SecretBytes;

pub(crate) fn material(key_type: KeyType) -> &'static [u8] {
    match key_type {
        KeyType::Aes128Gcm96 => &[0x11; 16],
        KeyType::Aes256Gcm96 => &[0x22; 32],
        KeyType::ChaCha20Poly1305 => &[0x33; 32],
        KeyType::Rsa2048 => include_bytes!("keys/rsa-2048.der"),
        KeyType::Rsa3072 => include_bytes!("keys/rsa-3072.der"),
        KeyType::Rsa4096 => include_bytes!("keys/rsa-4096.der"),
        KeyType::EcdsaP256 => include_bytes!("keys/ecdsa-p256.der"),
        KeyType::EcdsaP384 => include_bytes!("keys/ecdsa-p384.der"),
        KeyType::EcdsaP521 => include_bytes!("keys/ecdsa-p521.der"),
        KeyType::Ed25519 => include_bytes!("keys/ed25519.der"),
        KeyType::Hmac => &[0x44; 32],
        KeyType::HmacSha256 => &[0x55; 32],
        KeyType::HmacSha512 => &[0x66; 64],
    }
}

/// The types of which this is so.
pub(super) fn types(with: fn(KeyType) -> bool) -> Vec<KeyType> {
    KeyType::ALL.into_iter().filter(|key_type| with(*key_type)).collect()
}

pub(super) fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).expect("hex")
}

pub(super) fn message(hash: HashAlgorithm, bytes: &[u8]) -> SignInput {
    SignInput { hash, prehashed: false, bytes: SecretBytes::copy_of(bytes) }
}

/// Gives the same bytes again and again.
pub(super) struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(9);
        Ok(())
    }
}

pub(super) struct Broken;

impl Entropy for Broken {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError("broken".into()))
    }
}
