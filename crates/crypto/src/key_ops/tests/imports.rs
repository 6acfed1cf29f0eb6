use super::keys::{material, message, types};
use crate::key_ops::{KeyOpError, check_import, public_key, sign, verify};
use strongroom_domain::kms::{HashAlgorithm, KeyType};
use strongroom_domain::value::SecretBytes;

fn import(key_type: KeyType, material: &[u8]) -> Result<SecretBytes, KeyOpError> {
    check_import(key_type, &SecretBytes::copy_of(material))
}

fn is_bad(key_type: KeyType, material: &[u8]) -> bool {
    matches!(import(key_type, material), Err(KeyOpError::BadMaterial))
}

#[test]
fn a_key_of_every_type_comes_in_and_comes_in_again() {
    for key_type in types(KeyType::is_importable) {
        let taken = import(key_type, material(key_type)).unwrap_or_else(|error| panic!("{key_type}: {error}"));
        let again = import(key_type, taken.expose()).expect("what is exported can be imported");
        assert_eq!(again.expose(), taken.expose(), "{key_type}");
        if key_type.has_public_key() {
            let before = public_key(key_type, material(key_type)).expect("has one");
            assert_eq!(public_key(key_type, taken.expose()).expect("has one"), before, "{key_type}");
        }
    }
}

#[test]
fn other_forms_of_the_same_key_come_in_as_the_same() {
    for (key_type, form) in [
        (KeyType::Ed25519, &include_bytes!("keys/ed25519-version-2.der")[..]),
        (KeyType::EcdsaP256, include_bytes!("keys/ecdsa-p256-no-public.der")),
        (KeyType::EcdsaP256, include_bytes!("keys/ecdsa-p256-explicit.der")),
    ] {
        let taken = import(key_type, form).unwrap_or_else(|error| panic!("{key_type}: {error}"));
        let plain = import(key_type, material(key_type)).expect("comes in");
        assert_eq!(taken.expose(), plain.expose(), "{key_type}");
    }
}

#[test]
fn a_large_public_exponent_is_fine() {
    let taken = import(KeyType::Rsa2048, include_bytes!("keys/rsa-2048-exponent-4294967291.der")).expect("comes in");
    let input = message(HashAlgorithm::Sha512, b"message");
    let signature = sign(KeyType::Rsa2048, taken.expose(), &input).expect("signs");
    assert!(verify(KeyType::Rsa2048, taken.expose(), &input, &signature).expect("verifies"));
}

#[test]
fn plain_bytes_have_their_length() {
    for key_type in types(KeyType::is_symmetric) {
        let len = key_type.material_len().expect("plain bytes");
        for other in (0..70).filter(|other| *other != len) {
            assert!(is_bad(key_type, &vec![1; other]), "{key_type}, {other} bytes");
        }
    }
}

#[test]
fn a_document_of_another_type_is_refused() {
    for key_type in types(|key_type| key_type.is_importable() && key_type.material_len().is_none()) {
        for other in KeyType::ALL.into_iter().filter(|other| *other != key_type) {
            assert!(is_bad(key_type, material(other)), "{other} as {key_type}");
        }
    }
}

#[test]
fn a_document_that_was_cut_extended_or_is_none_is_refused() {
    for key_type in types(|key_type| key_type.is_importable() && key_type.material_len().is_none()) {
        let document = material(key_type);
        for len in (0..document.len()).step_by(if key_type.is_rsa() { 37 } else { 1 }) {
            assert!(is_bad(key_type, &document[..len]), "{key_type}, cut to {len}");
        }
        assert!(is_bad(key_type, &[document, &[0]].concat()), "{key_type}, extended");
        assert!(is_bad(key_type, &[document, document].concat()), "{key_type}, twice");
        assert!(is_bad(key_type, b"-----BEGIN PRIVATE KEY-----"), "{key_type}");
        assert!(is_bad(key_type, &[0x30; 70_000]), "{key_type}");
    }
}

/// A flipped bit of a private scalar or seed makes another key, where nothing in the document contradicts it; everything else is seen.
#[test]
fn a_flipped_bit_of_an_rsa_key_is_refused() {
    let document = material(KeyType::Rsa2048);
    // From the modulus on every byte is a part of the key.
    for at in (40..document.len()).step_by(29) {
        let mut flipped = document.to_vec();
        flipped[at] ^= 1 << (at % 8);
        assert!(is_bad(KeyType::Rsa2048, &flipped), "byte {at}");
    }
}

macro_rules! bad_key {
    ($key_type:ident, $name:literal) => {
        (KeyType::$key_type, $name, &include_bytes!(concat!("bad_keys/", $name, ".der"))[..])
    };
}

#[test]
fn bad_keys_are_refused() {
    for (key_type, name, document) in [
        bad_key!(Rsa2048, "rsa-1024"),
        bad_key!(Rsa2048, "rsa-2047"),
        bad_key!(Rsa2048, "rsa-2048-close-factors"),
        bad_key!(Rsa2048, "rsa-2048-close-factors-unlike-in-every-byte"),
        bad_key!(Rsa2048, "rsa-2048-composite-factor"),
        bad_key!(Rsa2048, "rsa-2048-encrypted"),
        bad_key!(Rsa2048, "rsa-2048-even-exponent"),
        bad_key!(Rsa2048, "rsa-2048-even-modulus"),
        bad_key!(Rsa2048, "rsa-2048-exponent-1"),
        bad_key!(Rsa2048, "rsa-2048-exponent-257"),
        bad_key!(Rsa2048, "rsa-2048-exponent-3"),
        bad_key!(Rsa2048, "rsa-2048-exponent-65535"),
        bad_key!(Rsa2048, "rsa-2048-exponent-of-41-bits"),
        bad_key!(Rsa2048, "rsa-2048-no-factors"),
        bad_key!(Rsa2048, "rsa-2048-no-public-exponent"),
        bad_key!(Rsa2048, "rsa-2048-other-crt-coefficient"),
        bad_key!(Rsa2048, "rsa-2048-other-crt-exponent"),
        bad_key!(Rsa2048, "rsa-2048-other-modulus"),
        bad_key!(Rsa2048, "rsa-2048-other-private-exponent"),
        bad_key!(Rsa2048, "rsa-2048-pkcs1"),
        bad_key!(Rsa2048, "rsa-2048-pss-only"),
        bad_key!(Rsa2048, "rsa-2048-three-factors"),
        bad_key!(Rsa2048, "rsa-2048-unbalanced-factors"),
        bad_key!(EcdsaP256, "ecdsa-p256-other-public"),
        bad_key!(EcdsaP256, "ecdsa-secp256k1"),
        bad_key!(Ed25519, "ed25519-other-public"),
        bad_key!(Ed25519, "ed448"),
        bad_key!(Ed25519, "x25519"),
    ] {
        assert!(is_bad(key_type, document), "{name} came in");
    }
}
