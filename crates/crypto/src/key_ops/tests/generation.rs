use super::keys::{Broken, message, types};
use crate::OsEntropy;
use crate::key_ops::{KeyOpError, check_import, decrypt, encrypt, generate, mac, public_key, sign, verify, verify_mac};
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::KeyPair as _;
use strongroom_domain::kms::{HashAlgorithm, KeyType};
use strongroom_domain::port::KmsErrorKind;
use strongroom_domain::value::SecretBytes;

/// What a key of every type can do, it does under material of its own.
#[test]
fn generated_material_works() {
    let plain = SecretBytes::copy_of(b"plaintext");
    let input = message(HashAlgorithm::Sha256, b"message");
    for key_type in KeyType::ALL {
        let made = generate(key_type, &OsEntropy).expect("there is randomness");
        let material = made.expose();
        assert!(key_type.material_len().is_none_or(|len| len == material.len()), "{key_type}");
        if key_type.is_importable() {
            let taken = check_import(key_type, &made).unwrap_or_else(|error| panic!("{key_type}: {error}"));
            assert_eq!(taken.expose(), material, "{key_type}: what is exported comes in as it was");
        }
        if key_type.encrypts() {
            let sealed = encrypt(key_type, material, &OsEntropy, b"aad", &plain).expect("encrypts");
            assert_eq!(decrypt(key_type, material, b"aad", &sealed).expect("decrypts").expose(), plain.expose());
        }
        if key_type.signs() {
            let signature = sign(key_type, material, &input).expect("signs");
            assert!(verify(key_type, material, &input, &signature).expect("verifies"), "{key_type}");
        }
        if key_type.authenticates() {
            let mac = mac(key_type, material, b"message").expect("authenticates");
            assert!(verify_mac(key_type, material, b"message", &mac).expect("verifies"), "{key_type}");
        }
        if key_type.is_rsa() {
            let pair = KeyPair::from_pkcs8(material).expect("parses");
            let exponent = pair.public_key().exponent();
            assert_eq!(exponent.big_endian_without_leading_zero(), [1, 0, 1], "{key_type}");
        }
    }
}

#[test]
fn no_two_keys_are_the_same() {
    for key_type in types(|key_type| !key_type.is_rsa()) {
        let [first, second] = [(); 2].map(|()| generate(key_type, &OsEntropy).expect("there is randomness"));
        assert_ne!(first.expose(), second.expose(), "{key_type}");
    }
}

#[test]
fn without_randomness_there_is_no_material_and_no_ciphertext() {
    for key_type in types(|key_type| key_type.material_len().is_some()) {
        let error = generate(key_type, &Broken).err().expect("fails");
        assert!(matches!(error, KeyOpError::Entropy(_)), "{key_type}");
        assert_eq!(error.kind(), KmsErrorKind::Unavailable);
    }
    for key_type in types(KeyType::is_symmetric) {
        let sealed = encrypt(key_type, super::keys::material(key_type), &Broken, b"", &SecretBytes::copy_of(b"x"));
        assert!(matches!(sealed, Err(KeyOpError::Entropy(_))), "{key_type}");
    }
}

/// A type that can't do something says so, whatever its material is.
#[test]
fn what_a_type_cannot_do_is_unsupported() {
    let plain = SecretBytes::copy_of(b"plaintext");
    let input = message(HashAlgorithm::Sha256, b"message");
    let is_unsupported = |error: Option<KeyOpError>| matches!(error, Some(KeyOpError::Unsupported));
    let mut refused = 0;
    for key_type in KeyType::ALL {
        let material = super::keys::material(key_type);
        let asked = [
            (key_type.encrypts(), encrypt(key_type, material, &OsEntropy, b"", &plain).err()),
            (key_type.encrypts(), decrypt(key_type, material, b"", &[2; 80]).err()),
            (key_type.signs(), sign(key_type, material, &input).err()),
            (key_type.signs(), verify(key_type, material, &input, b"").err()),
            (key_type.authenticates(), mac(key_type, material, b"").err()),
            (key_type.authenticates(), verify_mac(key_type, material, b"", b"").err()),
            (key_type.has_public_key(), public_key(key_type, material).err()),
            (key_type.is_importable(), check_import(key_type, &SecretBytes::copy_of(material)).err()),
        ];
        for (number, (can, error)) in asked.into_iter().enumerate() {
            assert_eq!(is_unsupported(error), !can, "{key_type}, operation {number}");
            refused += usize::from(!can);
        }
    }
    // 7 don't encrypt, 6 don't sign, 10 don't authenticate, 6 have no public key, 3 don't come in.
    assert_eq!(refused, 2 * 7 + 2 * 6 + 2 * 10 + 6 + 3);
}

/// No type takes the material of another, and none takes any that is damaged; that is no fault of a ciphertext.
#[test]
fn the_material_of_another_type_cannot_be_used() {
    let plain = SecretBytes::copy_of(b"plaintext");
    let input = message(HashAlgorithm::Sha256, b"message");
    for key_type in KeyType::ALL {
        let own = super::keys::material(key_type);
        let mut others: Vec<&[u8]> = KeyType::ALL
            .into_iter()
            .map(super::keys::material)
            .filter(|other| key_type.material_len().is_none_or(|len| len != other.len()) && *other != own)
            .collect();
        others.extend([&[][..], &own[..own.len() - 1], &own[1..]]);
        for other in others {
            let answers = [
                key_type.encrypts().then(|| encrypt(key_type, other, &OsEntropy, b"", &plain).err()),
                key_type.encrypts().then(|| decrypt(key_type, other, b"", &[2; 80]).err()),
                key_type.signs().then(|| sign(key_type, other, &input).err()),
                key_type.signs().then(|| verify(key_type, other, &input, b"").err()),
                key_type.authenticates().then(|| mac(key_type, other, b"").err()),
                key_type.authenticates().then(|| verify_mac(key_type, other, b"", b"").err()),
                key_type.has_public_key().then(|| public_key(key_type, other).err()),
            ];
            for error in answers.into_iter().flatten() {
                let error = error.unwrap_or_else(|| panic!("{key_type} took {} bytes", other.len()));
                assert!(matches!(error, KeyOpError::UnusableMaterial), "{key_type}: {error}");
                assert_eq!(error.kind(), KmsErrorKind::BadHandle);
            }
        }
    }
}

#[test]
fn errors_have_kinds() {
    for (error, kind) in [
        (KeyOpError::BadMaterial, KmsErrorKind::BadMaterial),
        (KeyOpError::TooLong, KmsErrorKind::TooLong),
        (KeyOpError::NotAuthentic, KmsErrorKind::NotAuthentic),
        (KeyOpError::Unsupported, KmsErrorKind::Unsupported),
        (KeyOpError::DigestLength, KmsErrorKind::Unsupported),
        (KeyOpError::Failed, KmsErrorKind::Unavailable),
    ] {
        assert_eq!(error.kind(), kind, "{error}");
    }
}
