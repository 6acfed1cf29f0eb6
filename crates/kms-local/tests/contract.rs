//! The contract of the port, and what holds for this adapter beyond it.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use strongroom_crypto::{OsEntropy, seal_fresh};
use strongroom_domain::id::{KeyId, OrganisationId, RegionId};
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyType, KeyVersion, KeyVersionNumber};
use strongroom_domain::port::{Kms, KmsErrorKind, RootKey, RootKeyError};
use strongroom_domain::root_key::RootKeyId;
use strongroom_domain::scope::Scope;
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;
use strongroom_kms_local::LocalKms;
use strongroom_root_key::SoftwareRootKey;
use strongroom_testkit::FailingEntropy;
use strongroom_testkit::kms::Fixture;
use uuid::Uuid;

fn root(byte: u8) -> Arc<dyn RootKey> {
    Arc::new(SoftwareRootKey::from_bytes(&[byte; 32], Arc::new(OsEntropy)).expect("derives"))
}

fn kms(root_byte: u8) -> Arc<dyn Kms> {
    Arc::new(LocalKms::new(root(root_byte), Arc::new(OsEntropy)))
}

/// The contract's view of a KMS.
struct Local(Arc<dyn Kms>);

impl Fixture for Local {
    fn kms(&self) -> Arc<dyn Kms> {
        Arc::clone(&self.0)
    }

    fn keeps_material(&self) -> bool {
        false
    }
}

strongroom_testkit::kms_contract!(async { Local(kms(1)) });

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

#[tokio::test]
async fn handles_and_ciphertexts_do_not_show_the_material() {
    for key_type in KeyType::ALL {
        let (kms, spec) = (kms(1), KeySpec { export_allowed: true, ..spec(key_type) });
        let version = version(kms.create(&spec).await.expect("creates"));
        let material = kms.export(&spec, &version).await.expect("exports");
        // A document begins with what every document of its type begins with.
        let secret = &material.expose()[material.len() / 2..];
        let mut shown = vec![version.handle.as_bytes().to_vec()];
        if key_type.encrypts() {
            shown.push(kms.encrypt(&spec, &version, b"", &plain()).await.expect("encrypts"));
        }
        for shown in shown {
            assert!(!shown.windows(8).any(|window| secret.windows(8).any(|part| part == window)), "{key_type}");
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

    fn reseal(&self, _: &[u8], _: &[u8]) -> Result<Option<Vec<u8>>, RootKeyError> {
        Err(RootKeyError::Unavailable("away".into()))
    }
}

#[tokio::test]
async fn without_its_root_key_it_is_unavailable() {
    let kms = LocalKms::new(Arc::new(Away), Arc::new(OsEntropy));
    let spec = KeySpec { export_allowed: true, ..spec(KeyType::default()) };
    let version = version(self::kms(1).create(&spec).await.expect("creates"));
    let errors = [
        kms.check().await.err(),
        kms.create(&spec).await.err(),
        kms.import(&spec, &SecretBytes::copy_of(&[7; 32])).await.err(),
        kms.export(&spec, &version).await.err(),
        kms.reseal(&spec, &version).await.err(),
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

    fn reseal(&self, aad: &[u8], sealed: &[u8]) -> Result<Option<Vec<u8>>, RootKeyError> {
        self.0.reseal(aad, sealed)
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

/// Seals under the first and opens under both.
struct Both([Arc<dyn RootKey>; 2]);

impl RootKey for Both {
    fn id(&self) -> RootKeyId {
        self.0[0].id()
    }

    fn seal(&self, aad: &[u8], plain: &SecretBytes) -> Result<Vec<u8>, RootKeyError> {
        self.0[0].seal(aad, plain)
    }

    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<SecretBytes, RootKeyError> {
        self.0[0].open(aad, sealed).or_else(|_| self.0[1].open(aad, sealed))
    }

    fn reseal(&self, aad: &[u8], sealed: &[u8]) -> Result<Option<Vec<u8>>, RootKeyError> {
        if self.0[0].open(aad, sealed).is_ok() {
            return Ok(None);
        }
        self.seal(aad, &self.0[1].open(aad, sealed)?).map(Some)
    }
}

#[tokio::test]
async fn a_handle_moves_to_a_new_root_key() {
    let moving = LocalKms::new(Arc::new(Both([root(2), root(1)])), Arc::new(OsEntropy));
    for key_type in [KeyType::Aes256Gcm96, KeyType::Rsa2048] {
        let spec = spec(key_type);
        let old = version(kms(1).create(&spec).await.expect("creates"));
        let ciphertext = kms(1).encrypt(&spec, &old, b"aad", &plain()).await.expect("encrypts");
        let handle = moving.reseal(&spec, &old).await.expect("seals").expect("under the old root key");
        let new = version(handle);
        for (kms, version) in [(kms(2), &new), (kms(1), &old)] {
            let opened = kms.decrypt(&spec, version, b"aad", &ciphertext).await.expect("decrypts");
            assert_eq!(opened.expose(), plain().expose(), "{key_type}");
        }
        assert_eq!(moving.reseal(&spec, &new).await.expect("looks"), None, "{key_type}");
        let answer = kms(1).decrypt(&spec, &new, b"aad", &ciphertext).await;
        assert_eq!(answer.err().map(|error| *error.kind()), Some(KmsErrorKind::BadHandle), "{key_type}");
        // Nothing moves that isn't this key's.
        let other = KeySpec { export_allowed: true, ..spec.clone() };
        let unknown = KeyVersion { handle: KeyHandle::new(vec![9; 64]), ..old.clone() };
        for answer in [moving.reseal(&other, &old).await, moving.reseal(&spec, &unknown).await] {
            assert_eq!(answer.err().map(|error| *error.kind()), Some(KmsErrorKind::BadHandle), "{key_type}");
        }
    }
}

#[tokio::test]
async fn what_was_sealed_before_formats_had_a_salt_still_opens() {
    let spec = spec(KeyType::default());
    let material = SecretBytes::copy_of(&[7; 32]);
    let version = version(kms(1).import(&spec, &material).await.expect("imports"));
    let old = seal_fresh(spec.key_type, material.expose(), &OsEntropy, b"aad", &plain()).expect("seals");
    let opened = kms(1).decrypt(&spec, &version, b"aad", &old).await.expect("decrypts");
    assert_eq!(opened.expose(), plain().expose());
}
