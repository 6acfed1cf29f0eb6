use super::{Log, Node, Tampering, entropy, operator};
use crate::support::code;
use std::sync::Arc;
use strongroom::audit::AuditKeyState::{self, Foreign, Pending, Retired, Signing};
use strongroom::domain::audit::FindingKind;
use strongroom::domain::port::{AuditKeys, AuditReader, Committer};
use strongroom::domain::root_key::SealedInstanceKey;
use strongroom::domain::unit::{Change, Unit};
use strongroom::{Code, Engine, Limits};
use strongroom_crypto::OsEntropy;
use strongroom_root_key::{AuditKeyRing, InstanceKeys, SoftwareRootKey};

async fn states(node: &Node) -> Vec<(u32, AuditKeyState)> {
    let keys = node.engine.list_audit_keys(&node.session).await.expect("listed");
    keys.iter().map(|view| (view.key.version, view.state)).collect()
}

async fn rotate(node: &Node) -> u32 {
    node.engine.rotate_audit_key(&node.session).await.expect("rotates").version
}

/// A key of another installation that signs, and the same as it is stored.
fn theirs(version: u32) -> (Arc<AuditKeyRing>, SealedInstanceKey) {
    let root = Arc::new(SoftwareRootKey::generate(entropy()).expect("there is randomness"));
    let (_, made) = InstanceKeys::generate(&*root, &OsEntropy).expect("there is randomness");
    let ring = AuditKeyRing::open(root, entropy(), &made, None).expect("opens");
    let sealed = ring.generate(version).expect("sealed");
    ring.adopt(core::slice::from_ref(&sealed), version).expect("opens");
    (Arc::new(ring), sealed)
}

/// With which key versions commits were signed, in order.
async fn signed_by(log: &Log) -> Vec<u32> {
    let records = log.store.records(super::STREAM, 0, 100_000).await.expect("readable");
    let mut versions: Vec<_> =
        records.iter().filter_map(|it| it.signature.as_ref().map(|signature| signature.key_version)).collect();
    versions.dedup();
    versions
}

#[tokio::test]
async fn a_checkpoint_under_the_key_before_makes_it_known_and_then_all_sign_with_it() {
    let log = Log::new().await;
    let (one, other) = (log.node().await, log.node().await);
    log.write(1).await;
    one.checkpoint().await.expect("written");
    assert_eq!(rotate(&other).await, 2);
    assert_eq!(states(&one).await, [(1, Signing), (2, Pending)]);
    for node in [&one, &other] {
        node.engine.frequent_housekeeping().await.expect("does its part");
        assert_eq!(node.keys.current(), 1, "nobody knows the new one yet");
    }
    log.write(1).await;
    let made_known = one.checkpoint().await.expect("written");
    let keys: Vec<_> = made_known.checkpoint.keys.iter().map(|key| key.version).collect();
    assert_eq!((keys, made_known.checkpoint.newest_key, made_known.signature.key_version), (vec![2], 2, 1));
    assert_eq!((one.keys.current(), other.keys.current()), (2, 1));
    assert_eq!(states(&other).await, [(1, Retired), (2, Signing)]);
    other.engine.frequent_housekeeping().await.expect("does its part");
    assert_eq!(other.keys.current(), 2);
    let late = log.node().await;
    assert_eq!(late.keys.current(), 2);
    // All three write now.
    for node in [&one, &other, &late] {
        log.written_by(node);
        log.write(1).await;
    }
    assert_eq!(signed_by(&log).await, [1, 2]);
    one.engine.release_audit_checkpoints().await.expect("released");
    let next = other.checkpoint().await.expect("written");
    assert_eq!((next.checkpoint.keys.len(), next.signature.key_version), (0, 2));
    log.checkpoints().await;
    for node in [&one, &other, &late] {
        assert_eq!(node.verify(None, 2).await, []);
    }
}

/// A node that has not seen yet that a checkpoint made a key known, and is to write the next.
#[tokio::test]
async fn who_writes_the_next_checkpoint_signs_with_the_new_one_at_once() {
    let log = Log::new().await;
    let (one, other) = (log.node().await, log.node().await);
    log.write(1).await;
    one.checkpoint().await.expect("written");
    rotate(&one).await;
    one.checkpoint().await.expect("written");
    one.engine.release_audit_checkpoints().await.expect("released");
    log.write(1).await;
    assert_eq!(other.keys.current(), 1);
    assert_eq!(other.checkpoint().await.expect("written").signature.key_version, 2);
    assert_eq!(other.keys.current(), 2);
    assert_eq!(other.verify(None, 500).await, []);
}

#[tokio::test]
async fn several_are_made_known_at_once_but_by_the_first_checkpoint() {
    let log = Log::new().await;
    let (one, other) = (log.node().await, log.node().await);
    let (first, second) = tokio::join!(rotate(&one), rotate(&other));
    assert_eq!((first.min(second), first.max(second)), (2, 3));
    let checkpoint = one.checkpoint().await.expect("written").checkpoint;
    assert_eq!((checkpoint.newest_key, checkpoint.keys.len()), (1, 1), "it vouches for itself only");
    assert_eq!(states(&one).await, [(1, Signing), (2, Pending), (3, Pending)]);
    log.write(1).await;
    let next = one.checkpoint().await.expect("written");
    let keys: Vec<_> = next.checkpoint.keys.iter().map(|key| key.version).collect();
    assert_eq!((keys, next.checkpoint.newest_key, next.signature.key_version), (vec![2, 3], 3, 1));
    assert_eq!(states(&one).await, [(1, Retired), (2, Retired), (3, Signing)]);
    log.written_by(&one);
    log.write(1).await;
    one.checkpoint().await.expect("written");
    assert_eq!(one.verify(None, 1).await, []);
}

#[tokio::test]
async fn a_key_that_was_slipped_in_is_passed_over() {
    let log = Log::new().await;
    let node = log.node().await;
    log.write(1).await;
    node.checkpoint().await.expect("written");
    let (_, sealed) = theirs(2);
    let changes = vec![Change::InsertInstanceKey(sealed)];
    log.store.commit(Unit { changes, ..Unit::default() }).await.expect("stored");
    log.write(1).await;
    let checkpoint = node.checkpoint().await.expect("written").checkpoint;
    assert_eq!((checkpoint.keys.len(), checkpoint.newest_key), (0, 1));
    assert_eq!(states(&node).await, [(1, Signing), (2, Foreign)]);
    let kinds = async || node.verify(None, 500).await.iter().map(|it| it.kind).collect::<Vec<_>>();
    assert_eq!(kinds().await, [FindingKind::KeySlippedIn]);

    assert_eq!(rotate(&node).await, 3);
    let checkpoint = node.checkpoint().await.expect("written").checkpoint;
    let keys: Vec<_> = checkpoint.keys.iter().map(|key| key.version).collect();
    assert_eq!((keys, checkpoint.newest_key, node.keys.current()), (vec![3], 3, 3));
    assert_eq!(states(&node).await, [(1, Retired), (2, Foreign), (3, Signing)]);
    let late = log.node().await;
    log.written_by(&late);
    log.write(1).await;
    assert_eq!(signed_by(&log).await, [1, 3]);
    assert_eq!(kinds().await, [FindingKind::KeySlippedIn]);
}

#[tokio::test]
async fn keys_that_were_slipped_in_take_up_no_versions_but_their_own() {
    let log = Log::new().await;
    let node = log.node().await;
    let changes = [2, 4, u32::MAX].map(|version| Change::InsertInstanceKey(theirs(version).1));
    log.store.commit(Unit { changes: changes.into(), ..Unit::default() }).await.expect("stored");
    log.write(1).await;
    node.checkpoint().await.expect("written");
    assert_eq!([rotate(&node).await, rotate(&node).await], [3, 5]);
    let checkpoint = node.checkpoint().await.expect("written").checkpoint;
    assert_eq!((checkpoint.newest_key, node.keys.current()), (5, 5));
    assert_eq!(rotate(&node).await, 6);
}

/// Nor does a checkpoint vouch for what was signed with it.
#[tokio::test]
async fn what_is_signed_with_a_key_that_was_slipped_in_is_not_vouched_for() {
    let log = Log::new().await;
    let node = log.node().await;
    log.write(1).await;
    node.checkpoint().await.expect("written");
    let (ring, sealed) = theirs(2);
    let changes = vec![Change::InsertInstanceKey(sealed)];
    log.store.commit(Unit { changes, ..Unit::default() }).await.expect("stored");
    *log.pen.0.write().expect("unpoisoned") = ring;
    log.write(1).await;
    assert_eq!(code(node.engine.checkpoint_audit().await), Some(Code::Internal));
    assert_eq!(log.checkpoints().await.len(), 1);
    let found: Vec<_> = node.verify(None, 500).await.iter().map(|it| (it.kind, it.sequence)).collect();
    let wanted = [(FindingKind::KeySlippedIn, None), (FindingKind::SignatureKeyUnknown, Some(2))];
    assert_eq!(found[..2], wanted);
}

/// Somebody changes which key the last checkpoint made known.
#[tokio::test]
async fn a_checkpoint_that_was_changed_makes_no_key_known() {
    let log = Log::new().await;
    let node = log.node().await;
    log.write(1).await;
    node.checkpoint().await.expect("written");
    rotate(&node).await;
    log.tamper([Tampering::RaiseKey(1)]);
    assert_eq!(code(node.engine.frequent_housekeeping().await), Some(Code::Internal));
    assert_eq!(code(node.engine.checkpoint_audit().await), Some(Code::Internal));
    assert_eq!(node.keys.current(), 1);
    log.mend();
    node.engine.frequent_housekeeping().await.expect("does its part");
    assert_eq!(node.keys.current(), 1);
    assert_eq!(node.checkpoint().await.map(|it| it.signature.key_version), Some(1));
    assert_eq!(node.keys.current(), 2);
}

#[tokio::test]
async fn each_leaves_a_record_and_without_keys_there_is_nothing_to_rotate() {
    let log = Log::new().await;
    let node = log.node().await;
    rotate(&node).await;
    states(&node).await;
    let engine = Engine::new(log.ports.clone(), Limits::default());
    let session = operator(&engine, &log.ports).await;
    assert_eq!(code(engine.rotate_audit_key(&session).await), Some(Code::UnsupportedOperation));
    assert_eq!(code(engine.list_audit_keys(&session).await), Some(Code::UnsupportedOperation));
    let records = log.store.records(super::STREAM, 0, 100).await.expect("readable");
    let told: Vec<_> = records
        .iter()
        .map(|it| {
            let version = it.record.resource.as_ref().and_then(|resource| resource.version);
            (it.record.action.as_str(), it.record.outcome.as_str(), version)
        })
        .collect();
    let (rotated, read) = ("system.audit_key.rotate", "system.audit.read");
    let wanted =
        [(rotated, "success", Some(2)), (read, "success", None), (rotated, "failure", None), (read, "failure", None)];
    assert_eq!(told, wanted);
}
