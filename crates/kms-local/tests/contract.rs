//! The contract of the port, and what holds for this adapter beyond it.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use strongroom_crypto::OsEntropy;
use strongroom_domain::id::{KeyId, OrganisationId, RegionId};
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyType, KeyVersion, KeyVersionNumber};
use strongroom_domain::port::{Entropy, EntropyError, Kms, KmsErrorKind, RootKey, RootKeyError};
use strongroom_domain::root_key::RootKeyId;
use strongroom_domain::scope::Scope;
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;
use strongroom_kms_local::LocalKms;
use strongroom_root_key::SoftwareRootKey;
use strongroom_testkit::FailingEntropy;
use uuid::Uuid;

fn root(byte: u8) -> Arc<dyn RootKey> {
    Arc::new(SoftwareRootKey::from_bytes(&[byte; 32], Arc::new(OsEntropy)).expect("derives"))
}

fn kms(root_byte: u8) -> Arc<dyn Kms> {
    Arc::new(LocalKms::new(root(root_byte), Arc::new(OsEntropy)))
}

strongroom_testkit::kms_contract!(async { kms(1) }, keeps_material: false);

fn spec(key_type: KeyType) -> KeySpec {
    let nil = Uuid::nil();
    let scope = Scope { organisation: OrganisationId::new(nil), region: RegionId::new(nil), project: None };
    KeySpec { id: KeyId::new(nil), scope, key_type, export_allowed: false }
}

const fn version(handle: KeyHandle) -> KeyVersion {
    KeyVersion { number: KeyVersionNumber::FIRST, handle, created_at: Timestamp::EPOCH }
}

fn plain() -> SecretBytes {
    SecretBytes::copy_of(b"plaintext")
}

#[tokio::test]
async fn a_handle_outlives_the_kms_but_not_its_root_key() {
    let spec = spec(KeyType::default());
    let first = kms(1);
    let version = version(first.create(&spec).await.expect("creates"));
    let ciphertext = first.encrypt(&spec, &version, b"aad", &plain()).await.expect("encrypts");
    drop(first);
    let opened = kms(1).decrypt(&spec, &version, b"aad", &ciphertext).await.expect("decrypts");
    assert_eq!(opened.expose(), plain().expose());
    let answer = kms(2).decrypt(&spec, &version, b"aad", &ciphertext).await;
    assert_eq!(answer.err().map(|error| *error.kind()), Some(KmsErrorKind::BadHandle));
    let answer = kms(2).encrypt(&spec, &version, b"aad", &plain()).await;
    assert_eq!(answer.err().map(|error| *error.kind()), Some(KmsErrorKind::BadHandle));
}

/// Randomness that remembers what it gave.
#[derive(Default)]
struct Recording(Mutex<Vec<Vec<u8>>>);

impl Entropy for Recording {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        OsEntropy.fill(bytes)?;
        self.0.lock().expect("no panic before").push(bytes.to_vec());
        Ok(())
    }
}

#[tokio::test]
async fn handles_and_ciphertexts_do_not_show_the_material() {
    for key_type in KeyType::ALL {
        let entropy = Arc::new(Recording::default());
        let kms = LocalKms::new(root(1), entropy.clone());
        let handle = kms.create(&spec(key_type)).await.expect("creates");
        let material = entropy.0.lock().expect("no panic before")[0].clone();
        assert_eq!(material.len(), key_type.material_len());
        let ciphertext = kms.encrypt(&spec(key_type), &version(handle.clone()), b"", &plain()).await.expect("encrypts");
        for shown in [handle.as_bytes(), &ciphertext] {
            assert!(!shown.windows(8).any(|window| material.windows(8).any(|part| part == window)), "{key_type}");
        }
    }
}

#[tokio::test]
async fn without_randomness_it_is_unavailable() {
    let kms = LocalKms::new(root(1), Arc::new(FailingEntropy));
    let error = kms.create(&spec(KeyType::default())).await.expect_err("no material");
    assert_eq!(*error.kind(), KmsErrorKind::Unavailable);
    let handle = self::kms(1).create(&spec(KeyType::default())).await.expect("creates");
    let error = kms.encrypt(&spec(KeyType::default()), &version(handle), b"", &plain()).await.expect_err("no nonce");
    assert_eq!(*error.kind(), KmsErrorKind::Unavailable);
}

/// A root key that is out of reach.
struct Away;

impl RootKey for Away {
    fn id(&self) -> RootKeyId {
        RootKeyId([1; 16])
    }

    fn seal(&self, _: &[u8], _: &SecretBytes) -> Result<Vec<u8>, RootKeyError> {
        Err(RootKeyError::Unavailable("away".into()))
    }

    fn open(&self, _: &[u8], _: &[u8]) -> Result<SecretBytes, RootKeyError> {
        Err(RootKeyError::Unavailable("away".into()))
    }
}

#[tokio::test]
async fn without_its_root_key_it_is_unavailable() {
    let kms = LocalKms::new(Arc::new(Away), Arc::new(OsEntropy));
    let spec = spec(KeyType::default());
    let version = version(self::kms(1).create(&spec).await.expect("creates"));
    let errors = [
        kms.check().await.err(),
        kms.create(&spec).await.err(),
        kms.rotate(&spec, &version, version.number.next()).await.err(),
        kms.encrypt(&spec, &version, b"", &plain()).await.err(),
        kms.decrypt(&spec, &version, b"", &[0; 64]).await.err(),
    ];
    for error in errors {
        assert_eq!(error.map(|error| *error.kind()), Some(KmsErrorKind::Unavailable));
    }
}

/// A root key that counts its sealings.
struct Counting(Arc<dyn RootKey>, AtomicU32);

impl RootKey for Counting {
    fn id(&self) -> RootKeyId {
        self.0.id()
    }

    fn seal(&self, aad: &[u8], plain: &SecretBytes) -> Result<Vec<u8>, RootKeyError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.seal(aad, plain)
    }

    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<SecretBytes, RootKeyError> {
        self.0.open(aad, sealed)
    }
}

#[tokio::test]
async fn checks_do_not_use_up_the_root_key() {
    let root = Arc::new(Counting(root(1), AtomicU32::new(0)));
    let kms = LocalKms::new(root.clone(), Arc::new(OsEntropy));
    for _ in 0..100 {
        kms.check().await.expect("can be used");
    }
    assert_eq!(root.1.load(Ordering::Relaxed), 1);
}
