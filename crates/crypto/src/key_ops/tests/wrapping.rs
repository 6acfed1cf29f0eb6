use super::keys::{Broken, Fixed, material};
use crate::OsEntropy;
use crate::key_ops::wrapping::{unwrap_padded, wrap_padded};
use crate::key_ops::{KeyOpError, check_import, unwrap_import, wrap_import, wrapping_public_key};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, PublicEncryptingKey};
use strongroom_domain::kms::{KeyType, PublicKey};
use strongroom_domain::port::OaepHash;
use strongroom_domain::value::SecretBytes;

const HASHES: [OaepHash; 4] = [OaepHash::Sha1, OaepHash::Sha256, OaepHash::Sha384, OaepHash::Sha512];

fn key() -> &'static [u8] {
    material(KeyType::Rsa4096)
}

fn public() -> Vec<u8> {
    match wrapping_public_key(key()) {
        Ok(PublicKey::Spki(der)) => der,
        _ => panic!("a wrapping key has a SubjectPublicKeyInfo"),
    }
}

fn is_refused(hash: OaepHash, wrapped: &[u8]) -> bool {
    matches!(unwrap_import(key(), hash, wrapped), Err(KeyOpError::NotAuthentic))
}

#[test]
fn what_was_wrapped_unwraps_with_the_same_hash_only() {
    let public = public();
    let importable = KeyType::ALL.into_iter().filter(|key_type| key_type.is_importable());
    for (hash, key_type) in importable.flat_map(|key_type| HASHES.map(|hash| (hash, key_type))) {
        let given = SecretBytes::copy_of(material(key_type));
        let wrapped = wrap_import(&public, hash, &OsEntropy, &given).expect("wraps");
        assert_eq!(wrapped.len(), 512 + given.len().next_multiple_of(8) + 8, "{key_type}");
        let unwrapped = unwrap_import(key(), hash, &wrapped).expect("unwraps");
        assert_eq!(unwrapped.expose(), given.expose(), "{key_type}");
        if key_type == KeyType::Aes256Gcm96 {
            for other in HASHES.into_iter().filter(|other| *other != hash) {
                assert!(is_refused(other, &wrapped));
            }
        }
    }
}

#[test]
fn material_of_every_length_unwraps() {
    let kek = SecretBytes::copy_of(&[3; 32]);
    for len in 1..=80_usize {
        let given: Vec<u8> = (0..=u8::MAX).cycle().take(len).collect();
        let wrapped = wrap_padded(&kek, &given).expect("wraps");
        assert_eq!(wrapped.len(), len.next_multiple_of(8) + 8);
        assert_eq!(unwrap_padded(&kek, &wrapped).expect("unwraps").expose(), given, "{len} bytes");
    }
}

/// Wrapped by OpenSSL: `pkeyutl -encrypt` with OAEP, then `enc -id-aes256-wrap-pad`.
#[test]
fn what_openssl_wrapped_comes_in() {
    for (hash, wrapped) in [
        (OaepHash::Sha1, &include_bytes!("wrapped/ed25519-sha1.bin")[..]),
        (OaepHash::Sha256, include_bytes!("wrapped/ed25519-sha256.bin")),
        (OaepHash::Sha384, include_bytes!("wrapped/ed25519-sha384.bin")),
        (OaepHash::Sha512, include_bytes!("wrapped/ed25519-sha512.bin")),
    ] {
        let unwrapped = unwrap_import(key(), hash, wrapped).unwrap_or_else(|error| panic!("{hash:?}: {error}"));
        assert_eq!(unwrapped.expose(), material(KeyType::Ed25519));
        assert!(check_import(KeyType::Ed25519, &unwrapped).is_ok());
    }
}

#[test]
fn no_byte_may_differ_be_missing_or_more() {
    let given = SecretBytes::copy_of(material(KeyType::Aes256Gcm96));
    let wrapped = wrap_import(&public(), OaepHash::Sha256, &OsEntropy, &given).expect("wraps");
    for at in (0..512).step_by(19).chain(512..wrapped.len()) {
        let mut flipped = wrapped.clone();
        flipped[at] ^= 1 << (at % 8);
        assert!(is_refused(OaepHash::Sha256, &flipped), "byte {at}");
        assert!(is_refused(OaepHash::Sha256, &wrapped[..at]), "cut to {at}");
    }
    assert!(is_refused(OaepHash::Sha256, &[]));
    for more in 1..=8 {
        let longer = [&wrapped[..], &vec![0; more]].concat();
        assert!(is_refused(OaepHash::Sha256, &longer), "{more} bytes more");
    }
    assert!(is_refused(OaepHash::Sha256, &vec![0xff; 560]));
}

/// The ephemeral key is one of AES-256, nothing shorter or longer.
#[test]
fn an_ephemeral_key_of_another_length_is_refused() {
    let rest = wrap_padded(&SecretBytes::copy_of(&[3; 32]), b"material").expect("wraps");
    for len in [0, 16, 24, 31, 33, 64] {
        let public = PublicEncryptingKey::from_der(&public()).expect("parses");
        let ephemeral = SecretBytes::copy_of(&vec![3; len]);
        let first = crate::key_ops::rsa::encrypt_under(public, &OAEP_SHA256_MGF1SHA256, &ephemeral).expect("encrypts");
        assert!(is_refused(OaepHash::Sha256, &[first, rest.clone()].concat()), "{len} bytes");
    }
    let public = PublicEncryptingKey::from_der(&public()).expect("parses");
    let ephemeral = SecretBytes::copy_of(&[3; 32]);
    let first = crate::key_ops::rsa::encrypt_under(public, &OAEP_SHA256_MGF1SHA256, &ephemeral).expect("encrypts");
    let unwrapped = unwrap_import(key(), OaepHash::Sha256, &[first, rest].concat()).expect("unwraps");
    assert_eq!(unwrapped.expose(), b"material");
}

#[test]
fn only_a_key_of_4096_bits_unwraps() {
    let wrapped = include_bytes!("wrapped/ed25519-sha256.bin");
    for other in [KeyType::Rsa2048, KeyType::Rsa3072, KeyType::EcdsaP256, KeyType::Ed25519, KeyType::Aes256Gcm96] {
        let error = unwrap_import(material(other), OaepHash::Sha256, wrapped).err();
        assert!(matches!(error, Some(KeyOpError::UnusableMaterial)), "{other}");
        assert!(matches!(wrapping_public_key(material(other)), Err(KeyOpError::UnusableMaterial)), "{other}");
    }
}

#[test]
fn what_cannot_be_wrapped() {
    let given = SecretBytes::copy_of(b"material");
    let wrap = |public: &[u8], given: &SecretBytes| wrap_import(public, OaepHash::Sha256, &Fixed, given).err();
    assert!(wrap(&public(), &given).is_none());
    let nothing = SecretBytes::copy_of(b"");
    assert!(matches!(wrap(&public(), &nothing), Some(KeyOpError::BadMaterial)));
    assert!(matches!(wrap(b"no key", &given), Some(KeyOpError::UnusableMaterial)));
    let broken = wrap_import(&public(), OaepHash::Sha256, &Broken, &given);
    assert!(matches!(broken, Err(KeyOpError::Entropy(_))));
}
