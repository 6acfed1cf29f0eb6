//! Nothing is built on what is not what was signed, and nothing sound waits for it.

use super::{Log, Tampering, entropy};
use crate::support::code;
use strongroom::Code;
use strongroom::audit::{KnownAuditKey, known_audit_key};
use strongroom::domain::audit::{Checkpoint, SignedCheckpoint};
use strongroom::domain::port::{AuditKeys, AuditSigner, Committer, SetupReader};
use strongroom::domain::unit::{Change, Unit};
use strongroom_crypto::Ed25519Verifier;
use strongroom_root_key::AuditKeyRing;

async fn add(log: &Log, checkpoint: Checkpoint, signer: &dyn AuditSigner) {
    let signature = signer.sign(&checkpoint.signed_bytes());
    let change = Change::AddCheckpoint(SignedCheckpoint { checkpoint, signature });
    log.store.commit(Unit { changes: vec![change], ..Unit::default() }).await.expect("stored");
}

/// One after it, that says nothing.
fn after(last: &Checkpoint) -> Checkpoint {
    let number = last.number + 1;
    Checkpoint { number, previous: last.hash(), keys: Vec::new(), begins: Vec::new(), ends: Vec::new(), ..last.clone() }
}

/// A log whose second key signs, and the first one, which somebody has.
async fn rotated() -> (Log, super::Node, AuditKeyRing, Checkpoint) {
    let log = Log::new().await;
    let node = log.node().await;
    log.write(1).await;
    node.checkpoint().await.expect("written");
    node.engine.rotate_audit_key(&node.session).await.expect("rotates");
    let last = node.checkpoint().await.expect("makes it known").checkpoint;
    assert_eq!((last.newest_key, node.keys.current()), (2, 2));
    let stored = log.store.instance_keys().await.expect("readable");
    let old = AuditKeyRing::open(log.root.clone(), entropy(), &stored, Some(1)).expect("opens");
    log.written_by(&node);
    (log, node, old, last)
}

#[tokio::test]
async fn a_last_checkpoint_that_nobody_signed_so_is_an_error_each_round() {
    let later = |checkpoint: Checkpoint| Checkpoint { at: checkpoint.at.plus_seconds(1_000_000_000), ..checkpoint };
    let lowered = |checkpoint: Checkpoint| Checkpoint { newest_key: 1, ..checkpoint };
    // By the key that was replaced: as if it still were the newest, or as if that had never been made known.
    for forged in [later, lowered, |checkpoint| checkpoint] {
        let (log, node, old, last) = rotated().await;
        add(&log, forged(after(&last)), &old).await;
        log.write(1).await;
        for _ in 0..3 {
            assert_eq!(code(node.engine.checkpoint_audit().await), Some(Code::Internal));
            log.advance(1);
        }
        assert_eq!(log.stored_checkpoints().await.len(), 3, "nothing is built on it");
    }
    // By the right key, but something else: the signature is another one's.
    let (log, node, _, last) = rotated().await;
    let other = node.keys.sign(b"something else");
    let change = Change::AddCheckpoint(SignedCheckpoint { checkpoint: after(&last), signature: other });
    log.store.commit(Unit { changes: vec![change], ..Unit::default() }).await.expect("stored");
    log.write(1).await;
    assert_eq!(code(node.engine.checkpoint_audit().await), Some(Code::Internal));
    // One that was sound is looked at again when it changes.
    let (log, node, ..) = rotated().await;
    log.write(1).await;
    node.checkpoint().await.expect("written");
    log.write(1).await;
    log.tamper([Tampering::ChangeCheckpoint(3)]);
    assert_eq!(code(node.engine.checkpoint_audit().await), Some(Code::Internal));
    log.mend();
    assert!(node.checkpoint().await.is_some());
}

/// What a node learns at its start.
async fn known(log: &Log) -> KnownAuditKey {
    let stored = log.store.instance_keys().await.expect("readable");
    let ring = AuditKeyRing::open(log.root.clone(), entropy(), &stored, None).expect("opens");
    known_audit_key(&*log.ports.audit, &ring, &Ed25519Verifier, &stored).await.expect("readable")
}

#[tokio::test]
async fn at_a_start_the_last_checkpoint_that_holds_says_which_key_signs() {
    assert_eq!(known(&Log::new().await).await, KnownAuditKey { newest: None, damaged: None });
    let (log, node, old, _) = rotated().await;
    assert_eq!(known(&log).await, KnownAuditKey { newest: Some(2), damaged: None });
    for _ in 0..250 {
        log.write(1).await;
        node.checkpoint().await.expect("written");
    }
    let last = log.checkpoints().await.pop().expect("there").checkpoint;
    assert_eq!(last.number, 252);
    // So many at the end; checkpoint 2 makes the second key known.
    for (damaged, newest) in [(1, Some(2)), (100, Some(2)), (101, Some(2)), (250, Some(2)), (251, Some(1)), (252, None)]
    {
        log.tamper((last.number + 1 - damaged..=last.number).map(Tampering::ChangeCheckpoint));
        assert_eq!(known(&log).await, KnownAuditKey { newest, damaged: Some(last.number) }, "{damaged}");
        log.mend();
    }
    log.tamper([Tampering::RaiseKey(last.number)]);
    assert_eq!(known(&log).await, KnownAuditKey { newest: Some(2), damaged: Some(last.number) });
    log.mend();
    // With the key that was replaced; as if that were known still, and not.
    add(&log, after(&last), &old).await;
    assert_eq!(known(&log).await, KnownAuditKey { newest: Some(2), damaged: Some(253) });
}

/// However many do not hold, and also where what signed them opens no more: then that key is missed, and no older one taken for it.
#[tokio::test]
async fn at_a_start_more_checkpoints_than_are_looked_at_may_be_damaged() {
    let (log, node, ..) = rotated().await;
    for _ in 0..2_300 {
        log.advance(60 * 60);
        node.checkpoint().await.expect("an hour went by");
    }
    let last = log.checkpoints().await.pop().expect("there").checkpoint.number;
    for (damaged, newest) in [(2_100, Some(2)), (last - 2, Some(2)), (last - 1, Some(1)), (last, None)] {
        log.tamper((last + 1 - damaged..=last).map(Tampering::ChangeCheckpoint));
        assert_eq!(known(&log).await, KnownAuditKey { newest, damaged: Some(last) }, "{damaged}");
        log.mend();
    }
    // And one besides, where one looks first.
    let at_the_end = (last - 2_100..=last).map(Tampering::ChangeCheckpoint);
    log.tamper(at_the_end.chain([Tampering::ChangeCheckpoint((last - 2_100).div_ceil(2))]));
    log.tamper([Tampering::ChangeCheckpoint((last - 2_100) / 2), Tampering::ChangeCheckpoint(1)]);
    assert_eq!(known(&log).await, KnownAuditKey { newest: Some(2), damaged: Some(last) });
    log.mend();
    let mut stored = log.store.instance_keys().await.expect("readable");
    let ring = AuditKeyRing::open(log.root.clone(), entropy(), &stored, Some(1)).expect("opens");
    let second = stored.iter_mut().find(|key| key.version == 2).expect("there");
    second.sealed.reverse();
    let known = known_audit_key(&*log.ports.audit, &ring, &Ed25519Verifier, &stored).await.expect("readable");
    assert_eq!(known, KnownAuditKey { newest: Some(2), damaged: Some(last) });
}

/// Whoever takes away checkpoints, and with them what they tell of, does not have the rest signed by a server that runs.
#[tokio::test]
async fn nothing_is_signed_over_checkpoints_that_were_taken_away() {
    let log = Log::new().await;
    let (node, other) = (log.node().await, log.node().await);
    for _ in 0..4 {
        log.write(1).await;
        node.checkpoint().await.expect("written");
    }
    for from in 1..=4 {
        log.tamper([Tampering::CutCheckpoints(from)]);
        log.write(1).await;
        assert_eq!(code(node.engine.checkpoint_audit().await), Some(Code::Internal), "from {from} on");
        log.mend();
    }
    // What another node wrote meanwhile leads back to what this one saw.
    node.engine.release_audit_checkpoints().await.expect("releases");
    for _ in 0..3 {
        log.write(1).await;
        other.checkpoint().await.expect("written");
    }
    other.engine.release_audit_checkpoints().await.expect("releases");
    log.write(1).await;
    log.tamper([Tampering::RemoveCheckpoint(4)]);
    assert_eq!(code(node.engine.checkpoint_audit().await), Some(Code::Internal));
    log.mend();
    assert_eq!(node.checkpoint().await.expect("written").checkpoint.number, 8);
}

#[tokio::test]
async fn unsound_streams_hold_up_no_other() {
    // More than one checkpoint tells of, and more than one round looks at.
    for count in [1, 999, 1_000, 3_999, 4_000, 9_000] {
        let log = Log::new().await;
        let node = log.node().await;
        log.tamper([Tampering::StreamsInFront(count)]);
        log.write(2).await;
        let end = log.end().await;
        let (mut ends, mut is_told) = (Vec::new(), false);
        for _ in 0..6 {
            is_told |= code(node.engine.checkpoint_audit().await) == Some(Code::Internal);
            let all = log.checkpoints().await;
            ends = all.iter().flat_map(|it| &it.checkpoint.ends).map(|end| (end.sequence, end.hash)).collect();
            if !ends.is_empty() {
                break;
            }
        }
        assert!(is_told, "{count} in front");
        assert_eq!(ends, [end], "{count} in front");
        log.mend();
        log.write(1).await;
        assert!(node.checkpoint().await.is_some(), "{count}");
    }
}
