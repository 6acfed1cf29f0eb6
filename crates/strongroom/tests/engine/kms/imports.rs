//! Key material that was made elsewhere.

use super::operation::{key_of, message};
use crate::iam::support::House;
use crate::support::{bytes, code};
use async_trait::async_trait;
use core::pin::Pin;
use core::sync::atomic::{AtomicU32, Ordering};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use strongroom::domain::directory::MemberRole;
use strongroom::domain::kms::{KeyOrigin, KeyType, PublicKey, Rotation};
use strongroom::domain::port::{ImportKeyError, ImportKeyErrorKind, ImportKeys, KeyFilter, OaepHash, SetupReader};
use strongroom::domain::root_key::{InstanceKeyPurpose, SealedInstanceKey};
use strongroom::domain::value::SecretBytes;
use strongroom::kms::{CreateKeyInput, ImportInput, RotationPatch};
use strongroom::{Code, Error, Session};
use strongroom_crypto::OsEntropy;
use strongroom_crypto::key_ops::{unwrap_import, wrap_import, wrapping_public_key};

const PKCS8: &[u8] = include_bytes!("../../../../testkit/src/kms/elsewhere/rsa-4096/private.der");

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Makes always the same key, which is sealed under nothing: real ones take long.
#[derive(Default)]
struct OneKey {
    made: AtomicU32,
    down: Mutex<Option<ImportKeyErrorKind>>,
    /// What others do while it makes a key.
    meanwhile: Mutex<Option<Task>>,
}

impl OneKey {
    fn pass(&self) -> Result<(), ImportKeyError> {
        match *self.down.lock().expect("no panic") {
            Some(kind) => Err(ImportKeyError::new(kind, "unplugged")),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl ImportKeys for OneKey {
    async fn generate(&self) -> Result<SealedInstanceKey, ImportKeyError> {
        self.pass()?;
        self.made.fetch_add(1, Ordering::Relaxed);
        let task = self.meanwhile.lock().expect("no panic").take();
        if let Some(task) = task {
            task.await;
        }
        let purpose = InstanceKeyPurpose::ByokWrapping;
        Ok(SealedInstanceKey { purpose, version: 1, sealed: PKCS8.to_vec(), public: None })
    }

    async fn public_key(&self, key: &SealedInstanceKey) -> Result<PublicKey, ImportKeyError> {
        self.pass()?;
        Ok(wrapping_public_key(&key.sealed).expect("a key of the right form"))
    }

    async fn unwrap(
        &self,
        key: &SealedInstanceKey,
        hash: OaepHash,
        wrapped: &[u8],
    ) -> Result<SecretBytes, ImportKeyError> {
        self.pass()?;
        unwrap_import(&key.sealed, hash, wrapped)
            .map_err(|error| ImportKeyError::new(ImportKeyErrorKind::NotAuthentic, "unwrapping").because(error))
    }
}

async fn house() -> (Arc<House>, Session, Arc<OneKey>) {
    let keys = Arc::new(OneKey::default());
    let house = Arc::new(House::with(|ports| ports.import_keys = Some(keys.clone())).await);
    let session = house.secrets(house.owner, None).await.expect("enters");
    (house, session, keys)
}

async fn wrapping_key(house: &House, session: &Session) -> Result<Vec<u8>, Error> {
    match house.engine.wrapping_key(session).await?.run().await? {
        PublicKey::Spki(der) => Ok(der),
        PublicKey::Ed25519(_) => panic!("it is RSA"),
    }
}

fn wrap(public: &[u8], hash: OaepHash, material: &[u8]) -> Vec<u8> {
    wrap_import(public, hash, &OsEntropy, &bytes(material)).expect("wraps")
}

fn input(name: &str, key_type: KeyType, wrapped: Vec<u8>) -> CreateKeyInput {
    let import = ImportInput { wrapped, hash: OaepHash::Sha256, allow_rotation: false };
    CreateKeyInput { key_type, export_allowed: true, import: Some(import), ..CreateKeyInput::named(name) }
}

async fn run(
    house: &House,
    session: &Session,
    input: CreateKeyInput,
) -> Result<Arc<strongroom::domain::kms::Key>, Error> {
    house.engine.create_key(session).await?.run(input).await
}

async fn material(house: &House, session: &Session, name: &str) -> Vec<u8> {
    let exported = house.engine.export(session, name).await.expect("allowed").run(None).await.expect("exports");
    exported.material.expose().to_vec()
}

#[tokio::test]
async fn what_one_key_exports_another_takes() {
    let (house, session, _) = house().await;
    let public = wrapping_key(&house, &session).await.expect("makes one");
    for key_type in [
        KeyType::Aes128Gcm96,
        KeyType::Aes256Gcm96,
        KeyType::ChaCha20Poly1305,
        KeyType::Rsa2048,
        KeyType::EcdsaP256,
        KeyType::EcdsaP384,
        KeyType::EcdsaP521,
        KeyType::Ed25519,
    ] {
        let name = key_type.as_str();
        key_of(&house.engine, &session, name, key_type).await;
        let taken = material(&house, &session, name).await;
        let copy = format!("copy-of-{name}");
        let made = run(&house, &session, input(&copy, key_type, wrap(&public, OaepHash::Sha256, &taken))).await;
        assert_eq!(made.expect("imports").origin, KeyOrigin::Imported { allow_rotation: false });
        assert_eq!(house.last_record().await, ("kms.create", "success", 201));
        assert_eq!(material(&house, &session, &copy).await, taken, "{key_type}");
        if key_type.signs() {
            let sign = house.engine.sign(&session, name).await.expect("allowed");
            let signature = sign.run(message(b"x"), None).await.expect("signs").to_string();
            let verify = house.engine.verify(&session, &copy).await.expect("allowed");
            assert_eq!(verify.run(message(b"x"), &signature).await.ok(), Some(true), "{key_type}");
        }
    }
    for hash in [OaepHash::Sha1, OaepHash::Sha384, OaepHash::Sha512] {
        let mut wanted = input(&format!("{hash:?}"), KeyType::Aes256Gcm96, wrap(&public, hash, &[7; 32]));
        wanted.import.as_mut().expect("set").hash = hash;
        run(&house, &session, wanted).await.expect("imports");
    }
}

#[tokio::test]
async fn what_cannot_be_unwrapped_is_told_in_one_text() {
    let (house, session, _) = house().await;
    let early = run(&house, &session, input("a", KeyType::default(), vec![0; 552])).await.expect_err("no key yet");
    assert_eq!(early.code(), Code::BadKeyMaterial);
    let public = wrapping_key(&house, &session).await.expect("makes one");
    let good = wrap(&public, OaepHash::Sha256, &[7; 32]);
    let mut texts = HashSet::new();
    let mut bad = vec![Vec::new(), vec![0; 511], vec![0; 512], vec![0; 1000], good[..good.len() - 8].to_vec()];
    bad.push([&good[..], &[0; 8]].concat());
    bad.push(wrap(&public, OaepHash::Sha512, &[7; 32]));
    for place in [0, 1, 511, 512, good.len() - 1] {
        let mut flipped = good.clone();
        flipped[place] ^= 1;
        bad.push(flipped);
    }
    for bad in bad {
        let error = run(&house, &session, input("a", KeyType::default(), bad)).await.expect_err("not wrapped so");
        assert_eq!(error.code(), Code::BadKeyMaterial);
        texts.insert(error.to_string());
    }
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts.iter().all(|text| text.contains("512 bytes") && text.contains("RFC 5649")), "{texts:?}");
    assert_eq!(house.last_record().await, ("kms.create", "failure", 400));
    for (key_type, len, told) in [
        (KeyType::Aes256Gcm96, 16, "exactly 32 bytes"),
        (KeyType::Aes128Gcm96, 32, "exactly 16 bytes"),
        (KeyType::ChaCha20Poly1305, 33, "exactly 32 bytes"),
        (KeyType::Rsa2048, 32, "PKCS#8"),
        (KeyType::Ed25519, 32, "PKCS#8"),
        (KeyType::EcdsaP384, 48, "PKCS#8"),
    ] {
        let wrapped = wrap(&public, OaepHash::Sha256, &vec![7; len]);
        let error = run(&house, &session, input("a", key_type, wrapped)).await.expect_err("not its material");
        assert_eq!(error.code(), Code::BadKeyMaterial, "{key_type}");
        let text = error.to_string();
        assert!(text.contains(told) && text.contains(key_type.as_str()), "{text}");
    }
    for key_type in [KeyType::Hmac, KeyType::HmacSha256, KeyType::HmacSha512] {
        let refused = run(&house, &session, input("a", key_type, good.clone())).await;
        assert_eq!(code(refused), Some(Code::UnsupportedOperation), "{key_type}");
    }
    let keys = house.engine.keys(&session).await.expect("allowed").run(KeyFilter::default()).await.expect("lists");
    assert_eq!(keys.len(), 0, "nothing was stored");
    run(&house, &session, input("a", KeyType::default(), good)).await.expect("the good one is taken");
}

#[tokio::test]
async fn imported_keys_rotate_only_when_they_were_made_so() {
    let (house, session, _) = house().await;
    let public = wrapping_key(&house, &session).await.expect("makes one");
    let engine = &house.engine;
    let on = RotationPatch::Set { enabled: Some(true), period_days: Some(30) };
    for (name, allow_rotation, expected) in [("fixed", false, Some(Code::UnsupportedOperation)), ("free", true, None)] {
        let mut wanted = input(name, KeyType::default(), wrap(&public, OaepHash::Sha256, &[7; 32]));
        wanted.import.as_mut().expect("set").allow_rotation = allow_rotation;
        let made = run(&house, &session, wanted).await.expect("imports");
        assert_eq!(made.origin, KeyOrigin::Imported { allow_rotation });
        let rotated = engine.rotate(&session, name).await.expect("allowed").run().await;
        assert_eq!(code(rotated), expected, "{name}");
        let set = async |patch| engine.set_rotation(&session, name).await.expect("allowed").run(patch).await;
        assert_eq!(code(set(on).await), expected, "{name}");
        assert_eq!(code(set(RotationPatch::Clear).await), None, "{name}");
        let mut wanted = input(&format!("{name} 2"), KeyType::default(), wrap(&public, OaepHash::Sha256, &[7; 32]));
        wanted.import.as_mut().expect("set").allow_rotation = allow_rotation;
        wanted.rotation = Rotation { enabled: true, period_days: Some(30) };
        let expected = expected.map(|_| Code::InvalidRequest);
        assert_eq!(code(run(&house, &session, wanted).await), expected, "{name}");
    }
}

#[tokio::test]
async fn the_wrapping_key_is_made_once() {
    let (house, session, keys) = house().await;
    let before = house.records().await.len();
    let first = wrapping_key(&house, &session).await.expect("makes one");
    assert_eq!(wrapping_key(&house, &session).await.ok(), Some(first));
    assert_eq!(keys.made.load(Ordering::Relaxed), 1);
    let records = house.records().await;
    let told: Vec<_> =
        records[before..].iter().map(|it| (it.action.as_str(), it.outcome.as_str(), it.status)).collect();
    assert_eq!(told, [("kms.wrapping_key.read", "success", 200); 2]);
    let stored = house.store.instance_keys().await.expect("reads");
    let count = stored.iter().filter(|key| key.purpose == InstanceKeyPurpose::ByokWrapping).count();
    assert_eq!(count, 1);
}

/// Another node makes one while this one does: both give out the same.
#[tokio::test]
async fn two_nodes_agree_on_the_wrapping_key() {
    let (house, session, keys) = house().await;
    let other = SealedInstanceKey {
        purpose: InstanceKeyPurpose::ByokWrapping,
        version: 1,
        sealed: PKCS8.to_vec(),
        public: None,
    };
    let (store, made) = (Arc::clone(&house.store), other.clone());
    *keys.meanwhile.lock().expect("no panic") = Some(Box::pin(async move {
        use strongroom::domain::port::Committer;
        use strongroom::domain::unit::{Change, Unit};
        let changes = vec![Change::InsertInstanceKey(made)];
        store.commit(Unit { changes, ..Unit::default() }).await.expect("is first");
    }));
    let public = wrapping_key(&house, &session).await.expect("takes the other's");
    assert_eq!(wrapping_key(&house, &session).await.ok(), Some(public));
    assert_eq!(keys.made.load(Ordering::Relaxed), 1);
    assert_eq!(house.store.instance_keys().await.expect("reads").iter().filter(|key| **key == other).count(), 1);
}

#[tokio::test]
async fn a_wrapping_key_that_cannot_be_used_now() {
    let (house, session, keys) = house().await;
    let public = wrapping_key(&house, &session).await.expect("makes one");
    for (kind, expected) in
        [(ImportKeyErrorKind::Unavailable, Code::KmsUnavailable), (ImportKeyErrorKind::Damaged, Code::Internal)]
    {
        *keys.down.lock().expect("no panic") = Some(kind);
        assert_eq!(code(wrapping_key(&house, &session).await), Some(expected));
        let wanted = input("a", KeyType::default(), wrap(&public, OaepHash::Sha256, &[7; 32]));
        assert_eq!(code(run(&house, &session, wanted).await), Some(expected));
    }
    let keys = house.engine.keys(&session).await.expect("allowed").run(KeyFilter::default()).await.expect("lists");
    assert_eq!(keys.len(), 0);
}

#[tokio::test]
async fn who_may_not_create_keys_gets_no_wrapping_key() {
    let (house, _, keys) = house().await;
    let member = house.member("guest", MemberRole::Member).await;
    let session = house.secrets(member, None).await.expect("enters");
    assert_eq!(code(wrapping_key(&house, &session).await), Some(Code::Forbidden));
    assert_eq!(house.last_record().await, ("kms.wrapping_key.read", "denied", 403));
    assert_eq!(keys.made.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn where_nothing_can_be_imported() {
    let house = House::new().await;
    let session = house.secrets(house.owner, None).await.expect("enters");
    assert_eq!(code(wrapping_key(&house, &session).await), Some(Code::UnsupportedOperation));
    let wanted = input("a", KeyType::default(), vec![0; 552]);
    assert_eq!(code(run(&house, &session, wanted).await), Some(Code::UnsupportedOperation));
}
