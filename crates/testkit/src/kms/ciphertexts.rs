//! What encrypts and decrypts, and which ciphertexts don't.

use super::test_key::{AAD, PLAIN, TestKey, altered, assert_fails, ok};
use super::{Fixture, Keys};
use std::collections::HashSet;
use strongroom_domain::envelope::public_aad;
use strongroom_domain::kms::{KeyType, MAX_PLAINTEXT_LEN};
use strongroom_domain::port::KmsErrorKind;
use strongroom_domain::value::SecretBytes;

fn encrypting(types: Vec<KeyType>) -> impl Iterator<Item = KeyType> {
    types.into_iter().filter(|key_type| key_type.encrypts())
}

fn symmetric(keys: &Keys<'_>) -> impl Iterator<Item = KeyType> + use<> {
    keys.every_type().into_iter().filter(|key_type| key_type.is_symmetric())
}

/// The most bytes that a key of this type takes: OAEP with SHA-256 leaves that of an RSA modulus (RFC 8017 section 7.1.1).
const fn longest(key_type: KeyType) -> usize {
    match key_type {
        KeyType::Rsa2048 => 256 - 2 * 32 - 2,
        KeyType::Rsa3072 => 384 - 2 * 32 - 2,
        KeyType::Rsa4096 => 512 - 2 * 32 - 2,
        _ => MAX_PLAINTEXT_LEN,
    }
}

/// `encrypt`: encrypting twice gives different ciphertexts.
pub async fn encrypting_twice_differs(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in encrypting(keys.each_kind()) {
        let key = keys.make(key_type).await;
        let mut seen = HashSet::new();
        for _ in 0..32 {
            assert!(seen.insert(key.encrypt().await), "{key_type}");
        }
    }
}

/// `encrypt`: a ciphertext, like a handle, shows nothing of the plaintext.
pub async fn ciphertexts_do_not_show_the_plaintext(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in encrypting(keys.each_kind()) {
        let key = keys.make(key_type).await;
        let ciphertext = key.encrypt().await;
        for shown in [ciphertext.as_slice(), key.latest().handle.as_bytes()] {
            assert!(!shown.windows(8).any(|window| PLAIN.windows(8).any(|part| part == window)), "{key_type}");
        }
    }
}

/// Lengths and AADs of every sort come back.
async fn assert_round_trips(key: &TestKey) {
    let (key_type, most) = (key.spec.key_type, longest(key.spec.key_type));
    for len in [0, 1, 15, 16, 17, 32, 33, 4_096, most - 1, most].into_iter().filter(|len| *len <= most) {
        // Bytes of every value.
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(len).collect();
        for aad in [&b""[..], AAD, &public_aad(&key.spec.scope, key.spec.id, key.latest().number)] {
            let plain = SecretBytes::copy_of(&bytes);
            let ciphertext = ok(key.kms.encrypt(&key.spec, key.latest(), aad, &plain).await);
            let opened = ok(key.kms.decrypt(&key.spec, key.latest(), aad, &ciphertext).await);
            assert_eq!(opened.expose(), bytes, "{key_type}, {len} bytes");
        }
    }
}

/// `decrypt`: gives the plaintext back under the same spec, version and AAD; `encrypt`: `TooLong` when RSA can't hold it.
pub async fn what_was_encrypted_decrypts(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in encrypting(keys.every_type()) {
        let key = keys.make(key_type).await;
        assert_round_trips(&key).await;
        if key_type.is_rsa() {
            for len in [longest(key_type) + 1, longest(key_type) + 66, MAX_PLAINTEXT_LEN] {
                let plain = SecretBytes::copy_of(&vec![1; len]);
                let answer = keys.kms.encrypt(&key.spec, key.latest(), AAD, &plain).await;
                assert_fails(answer, KmsErrorKind::TooLong, (key_type, len));
            }
        }
    }
}

/// `encrypt`: with a symmetric key the AAD is authenticated with the plaintext; `decrypt`: another AAD is `NotAuthentic`.
pub async fn another_aad_is_not_authentic(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in symmetric(&keys) {
        let key = keys.make(key_type).await;
        let ciphertext = key.encrypt().await;
        let mut flipped = AAD.to_vec();
        flipped[3] ^= 1;
        let longer = [AAD, b"\0"].concat();
        for aad in [&b""[..], &AAD[1..], &AAD[..AAD.len() - 1], &flipped, &longer] {
            let answer = keys.kms.decrypt(&key.spec, key.latest(), aad, &ciphertext).await;
            assert_fails(answer, KmsErrorKind::NotAuthentic, (key_type, aad));
        }
    }
}

/// `encrypt`: RSA binds no AAD; so nothing may rely on it.
pub async fn rsa_binds_no_aad(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.each_kind().into_iter().filter(|key_type| key_type.is_rsa()) {
        let key = keys.make(key_type).await;
        let opened = keys.kms.decrypt(&key.spec, key.latest(), b"another", &key.encrypt().await).await;
        assert_eq!(ok(opened).expose(), PLAIN, "{key_type}");
    }
}

/// `decrypt`: a ciphertext that was cut, extended or flipped is `NotAuthentic`.
pub async fn a_changed_ciphertext_is_not_authentic(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in encrypting(keys.each_kind()) {
        let key = keys.make(key_type).await;
        let ciphertext = key.encrypt().await;
        let flips = if key_type.is_rsa() { 64 } else { usize::MAX };
        for bytes in altered(&ciphertext, flips) {
            let answer = keys.kms.decrypt(&key.spec, key.latest(), AAD, &bytes).await;
            assert_fails(answer, KmsErrorKind::NotAuthentic, (key_type, bytes));
        }
        assert_eq!(ok(keys.kms.decrypt(&key.spec, key.latest(), AAD, &ciphertext).await).expose(), PLAIN);
    }
}

/// `decrypt`: a ciphertext of another key, of the same type or another, is `NotAuthentic`.
pub async fn a_ciphertext_of_another_key_is_not_authentic(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    let mut made = Vec::new();
    for key_type in encrypting(keys.each_kind()) {
        for _ in 0..2 {
            let key = keys.make(key_type).await;
            let ciphertext = key.encrypt().await;
            made.push((key, ciphertext));
        }
    }
    for (ours, _) in &made {
        for (theirs, ciphertext) in made.iter().filter(|(theirs, _)| theirs.spec != ours.spec) {
            let answer = keys.kms.decrypt(&ours.spec, ours.latest(), AAD, ciphertext).await;
            assert_fails(answer, KmsErrorKind::NotAuthentic, (ours.spec.key_type, theirs.spec.key_type));
        }
    }
}

/// `decrypt`: a ciphertext of another version of the key, earlier or later, is `NotAuthentic`.
pub async fn a_ciphertext_of_another_version_is_not_authentic(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in encrypting(keys.each_kind()) {
        let mut key = keys.make(key_type).await;
        let first = key.encrypt().await;
        key.rotate().await;
        let second = key.encrypt().await;
        for (version, ciphertext) in [(&key.versions[0], second), (&key.versions[1], first)] {
            let answer = keys.kms.decrypt(&key.spec, version, AAD, &ciphertext).await;
            assert_fails(answer, KmsErrorKind::NotAuthentic, (key_type, version.number));
        }
    }
}
