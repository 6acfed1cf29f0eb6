//! Keys that are kept by another KMS than the one that this node has for their region.

use super::operation::{Operation, Subject};
use crate::support::{World, code, create, put, reveal};
use core::time::Duration;
use std::sync::Arc;
use strongroom::Code;
use strongroom::domain::canonical::Encoder;
use strongroom::domain::kms::{KeyHandle, KeyVersion};
use strongroom::domain::port::{Committer, Freshness, KeyReader};
use strongroom::domain::unit::{Change, Unit};
use strongroom_crypto::OsEntropy;
use strongroom_kms_local::LocalKms;
use strongroom_root_key::SoftwareRootKey;

/// The operations that ask the KMS.
const OF_THE_KMS: [Operation; 9] = [
    Operation::Encrypt,
    Operation::Decrypt,
    Operation::Sign,
    Operation::Verify,
    Operation::Hmac,
    Operation::VerifyHmac,
    Operation::PublicKey,
    Operation::Export,
    Operation::Rotate,
];

/// As the Transit KMS writes it.
fn elsewhere() -> KeyHandle {
    let mut text = Encoder::new("strongroom transit handle", 1);
    text.text("transit").text("strongroom-1").number(1);
    KeyHandle::new([&[1], &text.finish()[..]].concat())
}

/// Nor is what is elsewhere taken for erased.
#[tokio::test]
async fn nothing_is_done_with_them_and_the_remedy_is_told() {
    let mut world = World::new();
    let entropy = Arc::new(OsEntropy);
    let root_key = SoftwareRootKey::generate(entropy.clone()).expect("a key");
    world.kms = Arc::new(LocalKms::new(Arc::new(root_key), entropy));
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let mut subjects = Vec::new();
    for operation in OF_THE_KMS {
        subjects.push(Subject::make(engine, &session, &format!("{operation:?}"), operation.able_type()).await);
    }
    create(&room, &session, "/a", &subjects[0].key, b"1").await.expect("creates");
    for subject in &subjects {
        let version = KeyVersion { handle: elsewhere(), ..subject.key.versions[0].clone() };
        let (key, revision) = (subject.key.spec.id, subject.key.state.revision.next());
        let changes = vec![Change::ReplaceKeyHandle { key, version, revision }];
        world.store.commit(Unit { changes, ..Unit::default() }).await.expect("replaces");
    }

    let room = world.node().await;
    let engine = room.engine();
    for (operation, subject) in OF_THE_KMS.into_iter().zip(&subjects) {
        let error = operation.call((engine, &session), subject).await.expect_err("it can't");
        assert_eq!((error.code(), error.code().status()), (Code::KmsNotConfigured, 503), "{operation:?}");
        assert!(error.to_string().contains("[regions.<region>]"), "{operation:?}: {error}");
    }
    assert_eq!(code(create(&room, &session, "/b", &subjects[0].key, b"1").await), Some(Code::KmsNotConfigured));
    assert_eq!(code(put(&room, &session, "/a", b"2").await), Some(Code::KmsNotConfigured));
    assert_eq!(code(reveal(&room, &session, "/a").await), Some(Code::KmsNotConfigured));
    assert_eq!(code(reveal(&room, &session, "/b").await), Some(Code::SecretNotFound));

    let last = &subjects[8];
    engine.delete_key(&session, &last.name).await.expect("allowed").run().await.expect("deletes");
    world.clock.advance(Duration::from_secs(31 * 24 * 60 * 60));
    assert_eq!(code(engine.purge_due_keys().await), Some(Code::KmsNotConfigured));
    let key = world.store.get(last.key.spec.id, Freshness::Latest).await.expect("reads").expect("it is there still");
    assert_eq!(key.versions.len(), 1, "no version is new");
    assert_eq!(key.versions[0].handle, elsewhere());
}
