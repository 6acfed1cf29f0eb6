//! What software keys make holds for others too: checked with nothing but the public key, or exported material, and without our crates.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use aws_lc_rs::{hmac, rsa};
use std::sync::Arc;
use strongroom_crypto::OsEntropy;
use strongroom_domain::id::{KeyId, OrganisationId, RegionId};
use strongroom_domain::kms::{HashAlgorithm, KeySpec, KeyType, KeyVersion, KeyVersionNumber, PublicKey, SignInput};
use strongroom_domain::port::Kms;
use strongroom_domain::scope::Scope;
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;
use strongroom_kms_local::LocalKms;
use strongroom_kms_memory::MemoryKms;
use strongroom_root_key::SoftwareRootKey;
use uuid::Uuid;

const MESSAGE: &[u8] = b"a message for everybody";

/// Both kinds of software KMS.
fn software() -> [Arc<dyn Kms>; 2] {
    let root = SoftwareRootKey::from_bytes(&[1; 32], Arc::new(OsEntropy)).expect("derives");
    let local = LocalKms::new(Arc::new(root), Arc::new(OsEntropy));
    [Arc::new(local), Arc::new(MemoryKms::new(Arc::new(OsEntropy)))]
}

async fn make(kms: &dyn Kms, key_type: KeyType) -> (KeySpec, KeyVersion) {
    let nil = Uuid::nil();
    let scope = Scope { organisation: OrganisationId::new(nil), region: RegionId::new(nil), project: None };
    let spec = KeySpec { id: KeyId::new(nil), scope, key_type, export_allowed: true };
    let handle = kms.create(&spec).await.expect("creates");
    (spec, KeyVersion { number: KeyVersionNumber::FIRST, handle, created_at: Timestamp::EPOCH })
}

/// What verifies a signature of this type with this hash.
fn verification(key_type: KeyType, hash: HashAlgorithm) -> &'static dyn VerificationAlgorithm {
    use HashAlgorithm::{Sha256, Sha384, Sha512};
    match (key_type, hash) {
        (KeyType::Rsa2048 | KeyType::Rsa3072 | KeyType::Rsa4096, Sha256) => &signature::RSA_PSS_2048_8192_SHA256,
        (KeyType::Rsa2048 | KeyType::Rsa3072 | KeyType::Rsa4096, Sha384) => &signature::RSA_PSS_2048_8192_SHA384,
        (KeyType::Rsa2048 | KeyType::Rsa3072 | KeyType::Rsa4096, Sha512) => &signature::RSA_PSS_2048_8192_SHA512,
        (KeyType::EcdsaP256, Sha256) => &signature::ECDSA_P256_SHA256_ASN1,
        (KeyType::EcdsaP256, Sha384) => &signature::ECDSA_P256_SHA384_ASN1,
        (KeyType::EcdsaP256, Sha512) => &signature::ECDSA_P256_SHA512_ASN1,
        (KeyType::EcdsaP384, Sha256) => &signature::ECDSA_P384_SHA256_ASN1,
        (KeyType::EcdsaP384, Sha384) => &signature::ECDSA_P384_SHA384_ASN1,
        (KeyType::EcdsaP384, Sha512) => &signature::ECDSA_P384_SHA512_ASN1,
        (KeyType::EcdsaP521, Sha256) => &signature::ECDSA_P521_SHA256_ASN1,
        (KeyType::EcdsaP521, Sha384) => &signature::ECDSA_P521_SHA384_ASN1,
        (KeyType::EcdsaP521, Sha512) => &signature::ECDSA_P521_SHA512_ASN1,
        _ => &signature::ED25519,
    }
}

fn digested(hash: HashAlgorithm) -> SignInput {
    let algorithm = match hash {
        HashAlgorithm::Sha256 => &SHA256,
        HashAlgorithm::Sha384 => &SHA384,
        HashAlgorithm::Sha512 => &SHA512,
    };
    SignInput { hash, prehashed: true, bytes: SecretBytes::copy_of(digest(algorithm, MESSAGE).as_ref()) }
}

#[tokio::test]
async fn signatures_verify_under_the_public_key() {
    for kms in software() {
        for key_type in KeyType::ALL.into_iter().filter(|key_type| key_type.signs()) {
            let (spec, version) = make(&*kms, key_type).await;
            let public_key = match kms.public_key(&spec, &version).await.expect("has one") {
                PublicKey::Spki(der) => der,
                PublicKey::Ed25519(bytes) => bytes.to_vec(),
            };
            for hash in HashAlgorithm::ALL {
                let mut inputs = vec![SignInput { hash, prehashed: false, bytes: SecretBytes::copy_of(MESSAGE) }];
                if key_type != KeyType::Ed25519 {
                    inputs.push(digested(hash));
                }
                for input in inputs {
                    let signature = kms.sign(&spec, &version, &input).await.expect("signs");
                    let key = UnparsedPublicKey::new(verification(key_type, hash), &public_key);
                    assert!(
                        key.verify(MESSAGE, &signature).is_ok(),
                        "{key_type} {hash}, prehashed: {}",
                        input.prehashed
                    );
                    assert!(
                        key.verify(&MESSAGE[1..], &signature).is_err(),
                        "{key_type} {hash}, prehashed: {}",
                        input.prehashed
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_encrypted_with_the_public_key_decrypts() {
    for kms in software() {
        for key_type in [KeyType::Rsa2048, KeyType::Rsa3072, KeyType::Rsa4096] {
            let (spec, version) = make(&*kms, key_type).await;
            let PublicKey::Spki(der) = kms.public_key(&spec, &version).await.expect("has one") else {
                panic!("{key_type} has an SPKI")
            };
            let key = PublicEncryptingKey::from_der(&der).expect("an RSA key");
            assert_eq!(key.key_size_bits().to_string(), key_type.as_str()["rsa-".len()..]);
            let again: PublicKeyX509Der<'_> = key.as_der().expect("encodes");
            assert_eq!(again.as_ref(), der, "{key_type}");
            let key = OaepPublicEncryptingKey::new(key).expect("encrypts");
            let mut ciphertext = vec![0; key.ciphertext_size()];
            key.encrypt(&OAEP_SHA256_MGF1SHA256, MESSAGE, &mut ciphertext, None).expect("encrypts");
            let opened = kms.decrypt(&spec, &version, b"", &ciphertext).await.expect("decrypts");
            assert_eq!(opened.expose(), MESSAGE, "{key_type}");
        }
    }
}

#[tokio::test]
async fn what_is_encrypted_here_decrypts_with_exported_material() {
    for kms in software() {
        let (spec, version) = make(&*kms, KeyType::Rsa2048).await;
        let material = kms.export(&spec, &version).await.expect("exports");
        let ciphertext = kms.encrypt(&spec, &version, b"", &SecretBytes::copy_of(MESSAGE)).await.expect("encrypts");
        let key = rsa::PrivateDecryptingKey::from_pkcs8(material.expose()).expect("PKCS#8");
        let key = rsa::OaepPrivateDecryptingKey::new(key).expect("decrypts");
        let mut opened = vec![0; key.min_output_size()];
        let opened = key.decrypt(&OAEP_SHA256_MGF1SHA256, &ciphertext, &mut opened, None).expect("decrypts");
        assert_eq!(opened, MESSAGE);
    }
}

#[tokio::test]
async fn hmacs_verify_with_exported_material() {
    for kms in software() {
        for (key_type, algorithm) in [
            (KeyType::Hmac, hmac::HMAC_SHA256),
            (KeyType::HmacSha256, hmac::HMAC_SHA256),
            (KeyType::HmacSha512, hmac::HMAC_SHA512),
        ] {
            let (spec, version) = make(&*kms, key_type).await;
            let material = kms.export(&spec, &version).await.expect("exports");
            let mac = kms.mac(&spec, &version, MESSAGE).await.expect("authenticates");
            let key = hmac::Key::new(algorithm, material.expose());
            assert!(hmac::verify(&key, MESSAGE, &mac).is_ok(), "{key_type}");
        }
    }
}
