use super::{StoreKeys, StoreKeysError};
use crate::{RootKeyRing, SoftwareRootKey};
use std::sync::Arc;
use strongroom_crypto::OsEntropy;
use strongroom_domain::audit::Signature;
use strongroom_domain::id::StreamId;
use strongroom_domain::port::{AuditSigner, CommitErrorKind, Committer, RootKey, SetupReader};
use strongroom_domain::root_key::InstanceKeyPurpose;
use strongroom_domain::unit::{Change, Expect, UniqueKey, Unit};
use strongroom_store_memory::MemoryStore;

struct Unsigned;

impl AuditSigner for Unsigned {
    fn sign(&self, _: &[u8]) -> Signature {
        Signature { key_version: 0, bytes: [0; 64] }
    }
}

fn empty() -> MemoryStore {
    MemoryStore::new(Arc::new(Unsigned), StreamId::new("01890000-0000-7000-8000-000000000001".parse().expect("a UUID")))
}

fn root() -> SoftwareRootKey {
    SoftwareRootKey::generate(Arc::new(OsEntropy)).expect("generates")
}

async fn open(store: &MemoryStore, root: &Arc<RootKeyRing>) -> Result<StoreKeys, StoreKeysError> {
    StoreKeys::open(store, root, Arc::new(OsEntropy)).await
}

/// What they answer, to compare two of them.
fn answers(keys: &StoreKeys) -> [Vec<u8>; 3] {
    let instance = keys.instance();
    [
        instance.token_digest().digest(b"bytes").to_vec(),
        instance.answer_digest().digest(b"bytes").to_vec(),
        keys.audit().sign(b"bytes").bytes.to_vec(),
    ]
}

#[tokio::test]
async fn an_empty_store_is_set_up_once_and_then_opened() {
    let (store, root) = (empty(), Arc::new(RootKeyRing::of(root())));
    let mut made = open(&store, &root).await.expect("opens");
    assert!(store.key_check().await.expect("readable").is_none(), "opening writes nothing");
    made.store(&store).await.expect("stores");
    made.store(&store).await.expect("has nothing to store any more");

    let mut opened = open(&store, &root).await.expect("opens");
    assert_eq!(answers(&opened), answers(&made));
    let stored = store.instance_keys().await.expect("readable").len();
    opened.store(&store).await.expect("has nothing to store");
    assert_eq!(store.instance_keys().await.expect("readable").len(), stored);
}

#[tokio::test]
async fn of_two_who_set_up_one_is_refused_and_opens_the_keys_of_the_other() {
    let (store, root) = (empty(), Arc::new(RootKeyRing::of(root())));
    let mut first = open(&store, &root).await.expect("opens");
    let mut second = open(&store, &root).await.expect("opens");
    first.store(&store).await.expect("stores");
    let error = second.store(&store).await.expect_err("too late");
    assert_eq!(error.kind(), &CommitErrorKind::Conflict(Expect::Absent(UniqueKey::Setup)));
    assert_ne!(answers(&second), answers(&first));
    assert_eq!(answers(&open(&store, &root).await.expect("opens")), answers(&first));
}

#[tokio::test]
async fn another_root_key_is_refused() {
    let (store, ours, other) = (empty(), RootKeyRing::of(root()), RootKeyRing::of(root()));
    let (ours, other) = (Arc::new(ours), Arc::new(other));
    open(&store, &ours).await.expect("opens").store(&store).await.expect("stores");
    assert!(matches!(open(&store, &other).await, Err(StoreKeysError::RootKey(_))));
}

#[tokio::test]
async fn the_root_key_of_the_store_seals_also_beside_a_newer_one() {
    let key = |byte| SoftwareRootKey::from_bytes(&[byte; 32], Arc::new(OsEntropy)).expect("derives");
    let (store, alone) = (empty(), Arc::new(RootKeyRing::of(key(1))));
    open(&store, &alone).await.expect("opens").store(&store).await.expect("stores");
    let both = Arc::new(RootKeyRing::new([key(1), key(2)]).expect("two keys"));
    assert_eq!(RootKey::id(&*both), key(2).id());
    open(&store, &both).await.expect("opens");
    assert_eq!(RootKey::id(&*both), key(1).id());
}

#[tokio::test]
async fn a_store_from_before_access_tokens_is_given_their_key() {
    let (old, root) = (empty(), Arc::new(RootKeyRing::of(root())));
    let made = open(&old, &root).await.expect("opens");
    let purpose = InstanceKeyPurpose::TokenSigning;
    let changes = made
        .lacking
        .changes
        .iter()
        .filter(|change| !matches!(change, Change::InsertInstanceKey(key) if key.purpose == purpose));
    let unit = Unit { changes: changes.cloned().collect(), ..Unit::default() };
    old.commit(unit).await.expect("stores");
    let has = async || old.instance_keys().await.expect("readable").iter().any(|key| key.purpose == purpose);
    assert!(!has().await);

    let mut keys = open(&old, &root).await.expect("opens");
    assert_eq!(keys.instance().token_signing().len(), 1);
    keys.store(&old).await.expect("stores");
    assert!(has().await);
    assert_eq!(answers(&open(&old, &root).await.expect("opens")), answers(&made));
}
