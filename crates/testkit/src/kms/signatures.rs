//! What signs and verifies, and which signatures don't.

use super::elsewhere::digest;
use super::test_key::{MESSAGE, altered, assert_fails, input, message, ok};
use super::{Fixture, Keys};
use strongroom_domain::kms::{HashAlgorithm, KeyType, MAX_PLAINTEXT_LEN, SignInput};
use strongroom_domain::port::KmsErrorKind;
use strongroom_domain::value::SecretBytes;

fn signing(types: Vec<KeyType>) -> impl Iterator<Item = KeyType> {
    types.into_iter().filter(|key_type| key_type.signs())
}

fn prehashed(hash: HashAlgorithm) -> SignInput {
    SignInput { hash, prehashed: true, bytes: SecretBytes::copy_of(digest(hash)) }
}

/// `sign`: the signature verifies, with every hash and for messages of every length.
pub async fn what_was_signed_verifies(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in signing(keys.every_type()) {
        let key = keys.make(key_type).await;
        for hash in HashAlgorithm::ALL {
            for len in [0, 1, 31, 32, 64, MAX_PLAINTEXT_LEN] {
                let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(len).collect();
                let input = input(hash, &bytes);
                let signature = key.sign(&input).await;
                assert!(key.verifies(&input, &signature).await, "{key_type} {hash}, {len} bytes");
            }
        }
    }
}

/// `sign`: a message and its digest, marked as one, have the same meaning.
pub async fn a_message_and_its_digest_mean_the_same(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in signing(keys.each_kind()).filter(|key_type| *key_type != KeyType::Ed25519) {
        let key = keys.make(key_type).await;
        for hash in HashAlgorithm::ALL {
            let (message, digest) = (input(hash, MESSAGE), prehashed(hash));
            let signatures = [key.sign(&message).await, key.sign(&digest).await];
            for signature in &signatures {
                assert!(key.verifies(&message, signature).await, "{key_type} {hash}");
                assert!(key.verifies(&digest, signature).await, "{key_type} {hash}");
                // A digest that isn't marked as one is a message.
                let unmarked = SignInput { prehashed: false, ..prehashed(hash) };
                assert!(!key.verifies(&unmarked, signature).await, "{key_type} {hash}");
            }
        }
    }
}

/// `sign`: Ed25519 is pure, whatever the input says of a hash; `Unsupported` for a digest.
pub async fn ed25519_hashes_by_itself(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    if keys.every_type().contains(&KeyType::Ed25519) {
        let key = keys.make(KeyType::Ed25519).await;
        let signature = key.sign(&message()).await;
        assert_eq!(signature.len(), 64);
        for hash in HashAlgorithm::ALL {
            assert_eq!(key.sign(&input(hash, MESSAGE)).await, signature, "{hash}");
            assert!(key.verifies(&input(hash, MESSAGE), &signature).await, "{hash}");
            let answer = keys.kms.sign(&key.spec, key.latest(), &prehashed(hash)).await;
            assert_fails(answer, KmsErrorKind::Unsupported, hash);
        }
    }
}

/// `sign`: PSS signatures are as long as the modulus, so none is of another scheme's length; ECDSA's are a DER sequence.
pub async fn signatures_have_the_form_of_their_type(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in signing(keys.each_kind()) {
        let key = keys.make(key_type).await;
        for hash in HashAlgorithm::ALL {
            let signature = key.sign(&input(hash, MESSAGE)).await;
            match key_type {
                KeyType::Rsa2048 => assert_eq!(signature.len(), 256),
                KeyType::Rsa3072 => assert_eq!(signature.len(), 384),
                KeyType::Rsa4096 => assert_eq!(signature.len(), 512),
                KeyType::Ed25519 => assert_eq!(signature.len(), 64),
                _ => assert_eq!(signature.first(), Some(&0x30), "{key_type} {hash}"),
            }
        }
    }
}

/// `verify`: a signature that was cut, extended or flipped is none.
pub async fn a_changed_signature_is_none(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in signing(keys.each_kind()) {
        let key = keys.make(key_type).await;
        let signature = key.sign(&message()).await;
        for bytes in altered(&signature, 128) {
            assert!(!key.verifies(&message(), &bytes).await, "{key_type} {bytes:02x?}");
        }
        assert!(key.verifies(&message(), &signature).await, "{key_type}");
    }
}

/// `verify`: a signature of another key, of the same type or another, is none.
pub async fn a_signature_of_another_key_is_none(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    let mut made = Vec::new();
    for key_type in signing(keys.each_kind()) {
        for _ in 0..2 {
            let key = keys.make(key_type).await;
            let signature = key.sign(&message()).await;
            made.push((key, signature));
        }
    }
    for (ours, own) in &made {
        assert!(ours.verifies(&message(), own).await);
        for (theirs, signature) in made.iter().filter(|(theirs, _)| theirs.spec != ours.spec) {
            let types = (ours.spec.key_type, theirs.spec.key_type);
            assert!(!ours.verifies(&message(), signature).await, "{types:?}");
        }
    }
}

/// `verify`: a signature of another version of the key, earlier or later, is none.
pub async fn a_signature_of_another_version_is_none(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in signing(keys.each_kind()) {
        let mut key = keys.make(key_type).await;
        let first = key.sign(&message()).await;
        key.rotate().await;
        let second = key.sign(&message()).await;
        for (version, signature) in [(&key.versions[0], second), (&key.versions[1], first)] {
            let valid = ok(keys.kms.verify(&key.spec, version, &message(), &signature).await);
            assert!(!valid, "{key_type} {}", version.number);
        }
    }
}

/// `verify`: a signature over another message, or with another hash, is none.
pub async fn a_signature_over_something_else_is_none(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in signing(keys.each_kind()) {
        let key = keys.make(key_type).await;
        for hash in HashAlgorithm::ALL {
            let signature = key.sign(&input(hash, MESSAGE)).await;
            for other in [&b""[..], &MESSAGE[1..], &MESSAGE[..MESSAGE.len() - 1], &[MESSAGE, b"\0"].concat()] {
                assert!(!key.verifies(&input(hash, other), &signature).await, "{key_type} {hash} {other:?}");
            }
            for other in HashAlgorithm::ALL.into_iter().filter(|other| *other != hash) {
                let verifies = key.verifies(&input(other, MESSAGE), &signature).await;
                assert_eq!(verifies, key_type == KeyType::Ed25519, "{key_type}: {hash}, then {other}");
            }
        }
    }
}
