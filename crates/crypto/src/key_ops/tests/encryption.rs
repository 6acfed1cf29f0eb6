use super::keys::{Fixed, hex, material, types};
use crate::key_ops::{KeyOpError, decrypt, encrypt, public_key};
use crate::{OsEntropy, seal, seal_fresh};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use proptest::prelude::*;
use strongroom_domain::kms::{KeyType, PublicKey};
use strongroom_domain::value::SecretBytes;

fn not_authentic(key_type: KeyType, material: &[u8], aad: &[u8], ciphertext: &[u8]) -> bool {
    matches!(decrypt(key_type, material, aad, ciphertext), Err(KeyOpError::NotAuthentic))
}

/// A stored format is a promise: these bytes must stay readable. The message keys were computed elsewhere.
#[test]
fn format_2_is_fixed() {
    let plain = SecretBytes::copy_of(b"plaintext");
    for (key_type, message_key) in [
        (KeyType::Aes128Gcm96, "d094655d4fce628d3e6dabb195aa742b"),
        (KeyType::Aes256Gcm96, "d5881563d00c1b3c58dfd6e5b95ff7c3492aa442b6d830a0e60de177e1963599"),
        (KeyType::ChaCha20Poly1305, "c1eb03b54ec65f1f1b224afb9d2746de452b93f081045b4cde120746d7113e94"),
    ] {
        let sealed = encrypt(key_type, material(key_type), &Fixed, b"aad", &plain).expect("encrypts");
        let mut expected = vec![2];
        expected.extend_from_slice(&[9; 16 + 12]);
        expected.extend(seal(key_type, &hex(message_key), &[9; 12], b"aad", &plain).expect("seals"));
        assert_eq!(sealed, expected, "{key_type}");
        assert_eq!(decrypt(key_type, material(key_type), b"aad", &sealed).expect("decrypts").expose(), plain.expose());
    }
}

#[test]
fn format_1_still_opens() {
    let plain = SecretBytes::copy_of(b"plaintext");
    for key_type in types(KeyType::is_symmetric) {
        let key = material(key_type);
        let sealed = seal_fresh(key_type, key, &OsEntropy, b"aad", &plain).expect("seals");
        assert_eq!(sealed[0], 1);
        assert_eq!(decrypt(key_type, key, b"aad", &sealed).expect("opens").expose(), plain.expose());
        assert!(not_authentic(key_type, key, b"aaD", &sealed));
        for format in (0..=u8::MAX).filter(|format| *format != 1) {
            let mut other = sealed.clone();
            other[0] = format;
            assert!(not_authentic(key_type, key, b"aad", &other), "{key_type}, format {format}");
        }
    }
}

/// AES-256-GCM under the material itself, computed elsewhere.
#[test]
fn a_stored_ciphertext_of_format_1_opens() {
    let stored = hex("010909090909090909090909092614f0ad2810d347e10932c8059a0c0352e4367a1c20511541");
    let opened = decrypt(KeyType::Aes256Gcm96, material(KeyType::Aes256Gcm96), b"aad", &stored).expect("opens");
    assert_eq!(opened.expose(), b"plaintext");
}

#[test]
fn no_byte_of_a_ciphertext_may_differ_be_missing_or_more() {
    for key_type in types(|key_type| key_type.is_symmetric() || key_type == KeyType::Rsa2048) {
        let key = material(key_type);
        let sealed = encrypt(key_type, key, &OsEntropy, b"aad", &SecretBytes::copy_of(b"plaintext")).expect("encrypts");
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(not_authentic(key_type, key, b"aad", &flipped), "{key_type}, byte {at}");
            assert!(not_authentic(key_type, key, b"aad", &sealed[..at]), "{key_type}, cut to {at}");
            assert!(not_authentic(key_type, key, b"aad", &sealed[at + 1..]), "{key_type}, without the first {at}");
        }
        let longer = [&sealed[..], &[0]].concat();
        assert!(not_authentic(key_type, key, b"aad", &longer), "{key_type}");
        let leading = [&[0], &sealed[..]].concat();
        assert!(not_authentic(key_type, key, b"aad", &leading), "{key_type}");
    }
}

#[test]
fn a_ciphertext_is_of_one_type() {
    let plain = SecretBytes::copy_of(b"plaintext");
    let key = [7; 32];
    for (one, other) in
        [(KeyType::Aes256Gcm96, KeyType::ChaCha20Poly1305), (KeyType::ChaCha20Poly1305, KeyType::Aes256Gcm96)]
    {
        let sealed = encrypt(one, &key, &OsEntropy, b"", &plain).expect("encrypts");
        assert!(not_authentic(other, &key, b"", &sealed), "{one}");
    }
}

#[test]
fn rsa_takes_so_much_and_no_more() {
    for (key_type, modulus) in [(KeyType::Rsa2048, 256), (KeyType::Rsa3072, 384), (KeyType::Rsa4096, 512)] {
        let key = material(key_type);
        for len in [0, 1, modulus - 2 * 32 - 2] {
            let plain = SecretBytes::copy_of(&vec![0; len]);
            let sealed = encrypt(key_type, key, &OsEntropy, b"", &plain).expect("encrypts");
            assert_eq!(sealed.len(), modulus);
            let again = encrypt(key_type, key, &OsEntropy, b"", &plain).expect("encrypts");
            assert_ne!(sealed, again, "{key_type}, {len} bytes");
            // It can't bind the AAD.
            assert_eq!(decrypt(key_type, key, b"aad", &sealed).expect("decrypts").expose(), plain.expose());
        }
        for len in [modulus - 2 * 32 - 1, modulus, 65_535] {
            let sealed = encrypt(key_type, key, &OsEntropy, b"", &SecretBytes::copy_of(&vec![1; len]));
            assert!(matches!(sealed, Err(KeyOpError::TooLong)), "{key_type}, {len} bytes");
        }
    }
}

/// Who has the public key encrypts without us; with another hash or a label it isn't ours.
#[test]
fn what_is_encrypted_with_the_public_key_decrypts() {
    for key_type in types(KeyType::is_rsa) {
        let PublicKey::Spki(spki) = public_key(key_type, material(key_type)).expect("has one") else {
            panic!("{key_type} has no SubjectPublicKeyInfo");
        };
        let key = PublicEncryptingKey::from_der(&spki).expect("parses");
        let key = OaepPublicEncryptingKey::new(key).expect("is one");
        let encrypt = |algorithm, label| {
            let mut sealed = vec![0; key.ciphertext_size()];
            key.encrypt(algorithm, b"plaintext", &mut sealed, label).expect("encrypts");
            sealed
        };
        let sealed = encrypt(&OAEP_SHA256_MGF1SHA256, None);
        assert_eq!(decrypt(key_type, material(key_type), b"", &sealed).expect("decrypts").expose(), b"plaintext");
        let labelled = encrypt(&OAEP_SHA256_MGF1SHA256, Some(b"label"));
        assert!(not_authentic(key_type, material(key_type), b"label", &labelled));
        assert!(not_authentic(key_type, material(key_type), b"", &encrypt(&OAEP_SHA1_MGF1SHA1, None)));
    }
}

#[test]
fn rsa_refuses_what_another_key_encrypted() {
    let other = include_bytes!("keys/rsa-2048-exponent-4294967291.der");
    let sealed = encrypt(KeyType::Rsa2048, other, &OsEntropy, b"", &SecretBytes::copy_of(b"x")).expect("encrypts");
    assert!(not_authentic(KeyType::Rsa2048, material(KeyType::Rsa2048), b"", &sealed));
    // As numbers these are not below the modulus.
    assert!(not_authentic(KeyType::Rsa2048, material(KeyType::Rsa2048), b"", &[0xff; 256]));
    assert!(not_authentic(KeyType::Rsa2048, material(KeyType::Rsa2048), b"", &[0; 256]));
}

fn symmetric() -> impl Strategy<Value = KeyType> {
    prop::sample::select(types(KeyType::is_symmetric))
}

proptest! {
    #[test]
    fn round_trips(key_type in symmetric(), key: [u8; 32], aad: Vec<u8>, plain: Vec<u8>) {
        let key = &key[..key_type.material_len().expect("plain bytes")];
        let plain = SecretBytes::copy_of(&plain);
        let sealed = encrypt(key_type, key, &OsEntropy, &aad, &plain).expect("encrypts");
        prop_assert_eq!(sealed.len(), 1 + 16 + 12 + plain.len() + 16);
        let again = encrypt(key_type, key, &OsEntropy, &aad, &plain).expect("encrypts");
        prop_assert_ne!(&sealed[1..29], &again[1..29]);
        let opened = decrypt(key_type, key, &aad, &sealed).expect("decrypts");
        prop_assert_eq!(opened.expose(), plain.expose());
    }

    #[test]
    fn another_key_or_aad_is_not_authentic(
        key_type in symmetric(), key: [u8; 32], aad: Vec<u8>, plain: Vec<u8>, at: prop::sample::Index, bit in 0..8u32, more: u8,
    ) {
        let len = key_type.material_len().expect("plain bytes");
        let sealed = encrypt(key_type, &key[..len], &OsEntropy, &aad, &SecretBytes::copy_of(&plain)).expect("encrypts");
        let mut other = key;
        other[at.index(len)] ^= 1 << bit;
        prop_assert!(not_authentic(key_type, &other[..len], &aad, &sealed));
        let longer = [&aad[..], &[more]].concat();
        prop_assert!(not_authentic(key_type, &key[..len], &longer, &sealed));
        if let Some((_, shorter)) = aad.split_last() {
            prop_assert!(not_authentic(key_type, &key[..len], shorter, &sealed));
        }
    }

    #[test]
    fn noise_is_not_authentic(key_type in symmetric(), noise: Vec<u8>, format in 0..4u8) {
        prop_assert!(not_authentic(key_type, material(key_type), b"", &noise));
        let noise = [&[format], &noise[..]].concat();
        prop_assert!(not_authentic(key_type, material(key_type), b"", &noise));
    }
}
