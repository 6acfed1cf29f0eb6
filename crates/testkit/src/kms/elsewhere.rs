//! What another implementation made: see `elsewhere/README.md`.

use strongroom_domain::kms::{HashAlgorithm, KeyType, PublicKey};
use strongroom_domain::value::SecretBytes;

macro_rules! file {
    ($($name:expr),+) => {
        include_bytes!(concat!("elsewhere/", $($name),+)).as_slice()
    };
}

macro_rules! hashed_signatures {
    ($folder:literal) => {
        vec![
            (HashAlgorithm::Sha256, file!($folder, "/sha256.signature")),
            (HashAlgorithm::Sha384, file!($folder, "/sha384.signature")),
            (HashAlgorithm::Sha512, file!($folder, "/sha512.signature")),
        ]
    };
}

/// A key made elsewhere, and what was made with it there.
pub(super) struct Elsewhere {
    pub(super) material: SecretBytes,
    pub(super) public_key: Option<PublicKey>,
    /// Over [`MESSAGE`](super::test_key::MESSAGE).
    pub(super) signatures: Vec<(HashAlgorithm, &'static [u8])>,
    /// Of [`PLAIN`](super::test_key::PLAIN).
    pub(super) ciphertext: Option<&'static [u8]>,
}

/// The digest of [`MESSAGE`](super::test_key::MESSAGE).
pub(super) const fn digest(hash: HashAlgorithm) -> &'static [u8] {
    match hash {
        HashAlgorithm::Sha256 => file!("sha256.digest"),
        HashAlgorithm::Sha384 => file!("sha384.digest"),
        HashAlgorithm::Sha512 => file!("sha512.digest"),
    }
}

/// The key of a type; plain bytes for the types whose material is plain bytes.
pub(super) fn key(key_type: KeyType) -> Elsewhere {
    macro_rules! rsa {
        ($folder:literal) => {
            Elsewhere {
                material: SecretBytes::copy_of(file!($folder, "/private.der")),
                public_key: Some(PublicKey::Spki(file!($folder, "/public.der").to_vec())),
                signatures: hashed_signatures!($folder),
                ciphertext: Some(file!($folder, "/ciphertext")),
            }
        };
    }
    macro_rules! ecdsa {
        ($folder:literal) => {
            Elsewhere {
                material: SecretBytes::copy_of(file!($folder, "/private.der")),
                public_key: Some(PublicKey::Spki(file!($folder, "/public.der").to_vec())),
                signatures: hashed_signatures!($folder),
                ciphertext: None,
            }
        };
    }
    match key_type {
        KeyType::Rsa2048 => rsa!("rsa-2048"),
        KeyType::Rsa3072 => rsa!("rsa-3072"),
        KeyType::Rsa4096 => rsa!("rsa-4096"),
        KeyType::EcdsaP256 => ecdsa!("ecdsa-p256"),
        KeyType::EcdsaP384 => ecdsa!("ecdsa-p384"),
        KeyType::EcdsaP521 => ecdsa!("ecdsa-p521"),
        KeyType::Ed25519 => Elsewhere {
            material: SecretBytes::copy_of(file!("ed25519/private.der")),
            public_key: Some(PublicKey::Ed25519(*include_bytes!("elsewhere/ed25519/public.raw"))),
            signatures: vec![(HashAlgorithm::default(), file!("ed25519/pure.signature"))],
            ciphertext: None,
        },
        KeyType::Aes128Gcm96
        | KeyType::Aes256Gcm96
        | KeyType::ChaCha20Poly1305
        | KeyType::Hmac
        | KeyType::HmacSha256
        | KeyType::HmacSha512 => {
            let bytes: Vec<u8> = (1..=u8::MAX).take(key_type.material_len().unwrap_or_default()).collect();
            Elsewhere {
                material: SecretBytes::copy_of(&bytes),
                public_key: None,
                signatures: Vec::new(),
                ciphertext: None,
            }
        }
    }
}

/// Documents that are no key of any type, or of another kind than their name begins with.
pub(super) const NO_KEYS: [(&str, &[u8]); 7] = [
    ("RSA with 1024 bits", file!("bad/rsa-1024.der")),
    ("RSA as PKCS#1", file!("bad/rsa-2048-pkcs1.der")),
    ("P-256 as SEC 1", file!("bad/ecdsa-p256-sec1.der")),
    ("P-256, encrypted", file!("bad/ecdsa-p256-encrypted.der")),
    ("a key over secp256k1", file!("bad/secp256k1.der")),
    ("an X25519 key", file!("bad/x25519.der")),
    ("Ed25519 with 31 bytes", file!("bad/ed25519-short.der")),
];

/// RSA keys of 2048 bits whose public exponent can't be used.
pub(super) const BAD_EXPONENTS: [(&str, &[u8]); 3] = [
    ("exponent 1", file!("bad/rsa-2048-exponent-1.der")),
    ("exponent 3", file!("bad/rsa-2048-exponent-3.der")),
    ("exponent 65536", file!("bad/rsa-2048-even-exponent.der")),
];

/// Keys of which a part isn't theirs.
pub(super) const MIXED_PARTS: [(KeyType, &str, &[u8]); 11] = [
    (KeyType::Rsa2048, "another modulus", file!("bad/rsa-2048-other-modulus.der")),
    (KeyType::Rsa2048, "an even modulus", file!("bad/rsa-2048-even-modulus.der")),
    (KeyType::Rsa2048, "another private exponent", file!("bad/rsa-2048-other-private-exponent.der")),
    (KeyType::Rsa2048, "another prime", file!("bad/rsa-2048-other-prime.der")),
    (KeyType::Rsa2048, "another CRT exponent", file!("bad/rsa-2048-other-crt-exponent.der")),
    (KeyType::Rsa2048, "another CRT coefficient", file!("bad/rsa-2048-other-crt-coefficient.der")),
    (KeyType::EcdsaP256, "another public key", file!("bad/ecdsa-p256-other-public-key.der")),
    (KeyType::EcdsaP256, "a public key off the curve", file!("bad/ecdsa-p256-public-key-off-the-curve.der")),
    (KeyType::EcdsaP256, "scalar 0", file!("bad/ecdsa-p256-scalar-0.der")),
    (KeyType::EcdsaP256, "the order as scalar", file!("bad/ecdsa-p256-scalar-order.der")),
    (KeyType::Ed25519, "another public key", file!("bad/ed25519-other-public-key.der")),
];
