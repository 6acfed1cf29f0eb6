use super::keys::{material, message, types};
use crate::key_ops::digest::digest_of;
use crate::key_ops::{KeyOpError, public_key, sign, verify};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ED25519, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use strongroom_domain::kms::{HashAlgorithm, KeyType, PublicKey, SignInput};
use strongroom_domain::value::SecretBytes;

fn verifies(key_type: KeyType, input: &SignInput, signature: &[u8]) -> bool {
    verify(key_type, material(key_type), input, signature).expect("signs")
}

fn prehashed(hash: HashAlgorithm, bytes: &[u8]) -> SignInput {
    let digest = digest_of(&message(hash, bytes)).expect("hashes");
    SignInput { hash, prehashed: true, bytes: SecretBytes::copy_of(digest.as_ref()) }
}

#[test]
fn every_type_signs_with_every_hash() {
    for key_type in types(KeyType::signs) {
        for hash in HashAlgorithm::ALL {
            let input = message(hash, b"message");
            let signature = sign(key_type, material(key_type), &input).expect("signs");
            assert!(verifies(key_type, &input, &signature), "{key_type} {hash}");
            assert!(!verifies(key_type, &message(hash, b"messag"), &signature), "{key_type} {hash}");
            assert!(!verifies(key_type, &message(hash, b"message\0"), &signature), "{key_type} {hash}");
            for other in HashAlgorithm::ALL {
                // Ed25519 hashes by itself.
                let holds = other == hash || key_type == KeyType::Ed25519;
                assert_eq!(verifies(key_type, &message(other, b"message"), &signature), holds, "{key_type} {hash}");
            }
        }
    }
}

#[test]
fn a_message_and_its_digest_are_the_same() {
    for key_type in types(|key_type| key_type.signs() && key_type != KeyType::Ed25519) {
        for hash in HashAlgorithm::ALL {
            let (whole, digest) = (message(hash, b"message"), prehashed(hash, b"message"));
            let signature = sign(key_type, material(key_type), &whole).expect("signs");
            assert!(verifies(key_type, &digest, &signature), "{key_type} {hash}");
            let signature = sign(key_type, material(key_type), &digest).expect("signs");
            assert!(verifies(key_type, &whole, &signature), "{key_type} {hash}");
            assert!(!verifies(key_type, &prehashed(hash, b"other"), &signature), "{key_type} {hash}");
        }
    }
}

#[test]
fn a_digest_has_the_length_of_its_hash() {
    for key_type in types(|key_type| key_type.signs() && key_type != KeyType::Ed25519) {
        for hash in HashAlgorithm::ALL {
            for len in [0, 1, 31, 33, 47, 49, 63, 65].into_iter().chain(
                HashAlgorithm::ALL.into_iter().map(HashAlgorithm::digest_len).filter(|len| *len != hash.digest_len()),
            ) {
                let input = SignInput { hash, prehashed: true, bytes: SecretBytes::copy_of(&vec![1; len]) };
                let error = sign(key_type, material(key_type), &input).err();
                assert!(matches!(error, Some(KeyOpError::DigestLength)), "{key_type} {hash}, {len} bytes");
                let error = verify(key_type, material(key_type), &input, b"").err();
                assert!(matches!(error, Some(KeyOpError::DigestLength)), "{key_type} {hash}, {len} bytes");
            }
        }
    }
}

#[test]
fn ed25519_signs_no_digest() {
    let key = material(KeyType::Ed25519);
    let input = prehashed(HashAlgorithm::Sha512, b"message");
    assert!(matches!(sign(KeyType::Ed25519, key, &input), Err(KeyOpError::Unsupported)));
    assert!(matches!(verify(KeyType::Ed25519, key, &input, &[0; 64]), Err(KeyOpError::Unsupported)));
}

#[test]
fn no_byte_of_a_signature_may_differ_be_missing_or_more() {
    for key_type in types(KeyType::signs) {
        let input = message(HashAlgorithm::Sha384, b"message");
        let signature = sign(key_type, material(key_type), &input).expect("signs");
        for at in 0..signature.len() {
            let mut flipped = signature.clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(!verifies(key_type, &input, &flipped), "{key_type}, byte {at}");
        }
        for len in [0, 1, signature.len() / 2, signature.len() - 1] {
            assert!(!verifies(key_type, &input, &signature[..len]), "{key_type}, cut to {len}");
        }
        assert!(!verifies(key_type, &input, &[&signature[..], &[0]].concat()), "{key_type}");
        assert!(!verifies(key_type, &input, &[&[0], &signature[..]].concat()), "{key_type}");
        assert!(!verifies(key_type, &input, &vec![0; signature.len()]), "{key_type}");
    }
}

#[test]
fn another_key_of_the_type_refuses() {
    let input = message(HashAlgorithm::Sha256, b"message");
    for key_type in types(|key_type| key_type.signs() && !key_type.is_rsa()) {
        let other = crate::key_ops::generate(key_type, &crate::OsEntropy).expect("generates");
        let signature = sign(key_type, other.expose(), &input).expect("signs");
        assert!(!verifies(key_type, &input, &signature), "{key_type}");
    }
    let other = include_bytes!("keys/rsa-2048-exponent-4294967291.der");
    let signature = sign(KeyType::Rsa2048, other, &input).expect("signs");
    assert!(!verifies(KeyType::Rsa2048, &input, &signature));
}

/// Randomised, but Ed25519; RSA and ECDSA hide their nonces and salts from one who sees the same message signed twice.
#[test]
fn signatures_are_randomised_where_they_can_be() {
    let input = message(HashAlgorithm::Sha256, b"message");
    for key_type in types(KeyType::signs) {
        let [first, second] = [(); 2].map(|()| sign(key_type, material(key_type), &input).expect("signs"));
        assert_eq!(first == second, key_type == KeyType::Ed25519, "{key_type}");
    }
}

#[test]
fn a_signature_verifies_under_the_public_key() {
    let input = message(HashAlgorithm::Sha256, b"message");
    let signature = |key_type| sign(key_type, material(key_type), &input).expect("signs");
    let spki = |key_type| match public_key(key_type, material(key_type)).expect("has one") {
        PublicKey::Spki(der) => der,
        PublicKey::Ed25519(bytes) => bytes.to_vec(),
    };
    for key_type in types(KeyType::is_rsa) {
        let public = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, spki(key_type));
        assert!(public.verify(b"message", &signature(key_type)).is_ok(), "{key_type}");
    }
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, spki(KeyType::EcdsaP256));
    assert!(public.verify(b"message", &signature(KeyType::EcdsaP256)).is_ok());
    let public = UnparsedPublicKey::new(&ED25519, spki(KeyType::Ed25519));
    assert!(public.verify(b"message", &signature(KeyType::Ed25519)).is_ok());
}
