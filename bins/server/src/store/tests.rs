use super::{Location, OpenStore};
use std::path::Path;
use std::sync::Arc;
use strongroom_crypto::OsEntropy;
use strongroom_domain::audit::{AuditKey, Checkpoint, Signature, SignedCheckpoint};
use strongroom_domain::port::RootKey;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Change, Unit};
use strongroom_root_key::{InstanceKeys, SoftwareRootKey};

fn root() -> Arc<dyn RootKey> {
    Arc::new(SoftwareRootKey::from_bytes(&[7; 32], Arc::new(OsEntropy)).expect("a key"))
}

async fn store(store: &OpenStore, changes: Vec<Change>) {
    store.writer.commit(Unit { changes, ..Unit::default() }).await.expect("stored");
}

async fn open(file: &Path) -> OpenStore {
    Location::Sqlite(file.to_owned()).open(root()).await.expect("opens")
}

/// The second of two keys is known since checkpoint 2; another one follows, with a signature of whoever.
async fn left(file: &Path, last: impl Fn(&Checkpoint) -> Checkpoint, forge: impl Fn(Signature) -> Signature) {
    let (keys, made) = InstanceKeys::generate(&*root(), &OsEntropy).expect("generates");
    let first = keys.audit_signing()[0].clone();
    let opened = Location::Sqlite(file.to_owned()).create(keys, root()).await.expect("creates");
    store(&opened, made.into_iter().map(Change::InsertInstanceKey).collect()).await;
    let second = opened.audit_keys.generate(2).expect("generates");
    store(&opened, vec![Change::InsertInstanceKey(second.clone())]).await;
    let mut before = None;
    for key in [first, second] {
        let version = key.version;
        let checkpoint = Checkpoint {
            number: u64::from(version),
            at: Timestamp::EPOCH,
            previous: before.as_ref().map_or([0; 32], Checkpoint::hash),
            keys: vec![AuditKey { version, public: key.public.expect("has one") }],
            newest_key: version,
            begins: Vec::new(),
            ends: Vec::new(),
        };
        let signature = opened.audit_keys.sign(&checkpoint.signed_bytes());
        before = Some(checkpoint.clone());
        store(&opened, vec![Change::AddCheckpoint(SignedCheckpoint { checkpoint, signature })]).await;
        opened.audit_keys.adopt(&[key], version).expect("opens");
    }
    let before = before.expect("made");
    let sound = Checkpoint { number: 3, previous: before.hash(), keys: Vec::new(), ..before };
    let signature = forge(opened.audit_keys.sign(&sound.signed_bytes()));
    let change = Change::AddCheckpoint(SignedCheckpoint { checkpoint: last(&sound), signature });
    store(&opened, vec![change]).await;
    opened.writer.close().await;
}

#[tokio::test]
async fn an_altered_last_checkpoint_settles_nothing_at_a_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let with = |newest_key| move |sound: &Checkpoint| Checkpoint { newest_key, ..sound.clone() };
    for newest_key in [0, 1, 2, 3, u32::MAX] {
        let file = folder.path().join(format!("{newest_key}.db"));
        left(&file, with(newest_key), |signature| signature).await;
        assert_eq!(open(&file).await.audit_keys.current(), 2, "{newest_key}");
    }
    for number in [4, 2_004, 5_003, i64::MAX.unsigned_abs()] {
        let file = folder.path().join(format!("number-{number}.db"));
        left(&file, |sound| Checkpoint { number, ..sound.clone() }, |signature| signature).await;
        assert_eq!(open(&file).await.audit_keys.current(), 2, "planted at {number}");
    }
    let flipped = |mut signature: Signature| {
        signature.bytes[9] ^= 1;
        signature
    };
    let file = folder.path().join("signature.db");
    left(&file, with(2), flipped).await;
    assert_eq!(open(&file).await.audit_keys.current(), 2);
}
