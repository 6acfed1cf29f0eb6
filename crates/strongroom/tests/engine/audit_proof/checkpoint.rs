use super::{DAY, Fault, Log, STREAM, Tampering};
use crate::support::code;
use core::time::Duration;
use strongroom::Code;
use strongroom::domain::audit::{ChainState, SignedCheckpoint};
use strongroom::domain::lease::{Lease, LeaseName, LeaseTtl};
use strongroom::domain::port::{Clock, Leases};
use strongroom::domain::time::Timestamp;
use uuid::Uuid;

/// Some minutes before the tests begin.
const EARLIER: Timestamp = Timestamp::from_micros(700_000_000);

fn number(written: Option<SignedCheckpoint>) -> Option<u64> {
    written.map(|it| it.checkpoint.number)
}

/// Somebody else takes the lease, whoever has it.
async fn take_lease(log: &Log) -> Lease {
    let (other, ttl) = (Uuid::from_u128(77), LeaseTtl::new(Duration::from_secs(60)).expect("legal"));
    loop {
        if let Some(lease) = log.store.acquire(LeaseName::AuditCheckpoint, other, ttl).await.expect("leases") {
            return lease;
        }
        log.advance(1);
    }
}

#[tokio::test]
async fn where_nothing_moved_there_is_none() {
    let log = Log::new().await;
    let node = log.node().await;
    assert_eq!(node.checkpoint().await, None, "there are no records");
    log.write(3).await;
    let (sequence, hash) = log.end().await;
    let first = node.checkpoint().await.expect("the stream moved");
    let end = ChainState { stream: STREAM, sequence, hash };
    assert_eq!((first.checkpoint.number, &first.checkpoint.ends), (1, &vec![end]));
    assert_eq!(first.checkpoint.begins, []);
    let keys: Vec<_> = first.checkpoint.keys.iter().map(|key| key.version).collect();
    assert_eq!((keys, first.checkpoint.newest_key, first.signature.key_version), (vec![1], 1, 1));
    for seconds in [0, 1, 11, 3_587] {
        log.advance(seconds);
        assert_eq!(node.checkpoint().await, None);
    }
    log.write(1).await;
    let second = node.checkpoint().await.expect("the stream moved").checkpoint;
    assert_eq!((second.number, second.previous, second.keys.len()), (2, first.checkpoint.hash(), 0));
    assert_eq!(second.ends[0].sequence, sequence + 1);
    assert_eq!(log.checkpoints().await.len(), 2);
    // That a node runs shows all the same: each hour.
    log.advance(3_600);
    let third = node.checkpoint().await.expect("an hour went by").checkpoint;
    assert_eq!((third.number, third.previous, third.ends.len()), (3, second.hash(), 0));
    assert_eq!(node.checkpoint().await, None);
    assert_eq!(log.node().await.checkpoint().await, None);
}

#[tokio::test]
async fn of_two_nodes_one_writes_them() {
    let log = Log::new().await;
    let (one, other) = (log.node().await, log.node().await);
    for round in 1..20 {
        log.write(1).await;
        let (first, second) = tokio::join!(one.checkpoint(), other.checkpoint());
        assert_eq!((number(first), number(second)), (Some(round), None));
        log.advance(1);
    }
    // It dies; the other one goes on when the lease has run out.
    log.advance(11);
    log.write(1).await;
    assert_eq!(number(other.checkpoint().await), Some(20));
    log.write(1).await;
    assert_eq!(number(one.checkpoint().await), None);
    // It stops; the lease is free at once.
    other.engine.release_audit_checkpoints().await.expect("released");
    assert_eq!(number(one.checkpoint().await), Some(21));
    other.engine.release_audit_checkpoints().await.expect("it has none");
    log.write(1).await;
    assert_eq!((number(other.checkpoint().await), number(one.checkpoint().await)), (None, Some(22)));
    assert_eq!(log.checkpoints().await.last().map(|last| last.checkpoint.ends[0].sequence), Some(log.end().await.0));
    assert_eq!(one.verify(None, 500).await, []);
}

/// Retention announces where streams begin beside them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_have_no_gap_whoever_writes() {
    let log = Log::new().await;
    let (one, other) = (log.node().await, log.node().await);
    for _ in 0..60 {
        log.write(2).await;
        one.index().await;
        log.advance(DAY / 5);
        let (first, second, removed) =
            tokio::join!(one.checkpoint(), other.checkpoint(), other.engine.retain_audit(1, &[]));
        assert!(first.is_none() || second.is_none());
        removed.expect("retains");
    }
    log.advance(11);
    one.checkpoint().await;
    let all = log.checkpoints().await;
    let begins = all.iter().filter(|it| !it.checkpoint.begins.is_empty()).count();
    assert!(begins > 10 && all.len() > begins + 10, "{begins} of {}", all.len());
    let last = all.iter().rfind(|it| !it.checkpoint.ends.is_empty()).expect("one");
    assert_eq!(last.checkpoint.ends[0].sequence, log.end().await.0);
    assert_eq!(one.verify(None, 500).await, []);
}

#[tokio::test]
async fn whose_lease_was_lost_writes_none() {
    let log = Log::new().await;
    let node = log.node().await;
    log.write(1).await;
    assert_eq!(number(node.checkpoint().await), Some(1));
    // It believes that it still has it, and only the store knows better.
    let now = log.clock.now();
    let lease = take_lease(&log).await;
    log.clock.set(now);
    log.write(1).await;
    for _ in 0..3 {
        assert_eq!(node.checkpoint().await, None);
        log.advance(1);
    }
    assert_eq!(log.checkpoints().await.len(), 1);
    log.store.release(&lease).await.expect("released");
    assert_eq!(number(node.checkpoint().await), Some(2));
}

#[tokio::test]
async fn an_unknown_outcome_is_neither_told_twice_nor_lost() {
    for (fault, stored) in [(Fault::Refused, 0), (Fault::Lost, 0), (Fault::Unheard, 1)] {
        for rotates in [false, true] {
            let log = Log::new().await;
            let node = log.node().await;
            log.write(1).await;
            let before = if rotates {
                node.checkpoint().await.expect("written");
                node.engine.rotate_audit_key(&node.session).await.expect("rotates");
                1
            } else {
                0
            };
            log.plan(fault);
            assert!(node.engine.checkpoint_audit().await.is_err());
            log.mend();
            assert_eq!(log.checkpoints().await.len(), before + stored);
            // What is in the log is not told again; what isn't, is.
            assert_eq!(node.checkpoint().await.is_some(), stored == 0);
            log.write(1).await;
            let last = node.checkpoint().await.expect("written");
            assert_eq!(last.checkpoint.number, before as u64 + 2);
            let newest = if rotates { 2 } else { 1 };
            assert_eq!((last.checkpoint.newest_key, last.signature.key_version), (newest, newest));
            assert_eq!(log.checkpoints().await.len(), before + 2);
            assert_eq!(node.verify(None, 3).await, []);
        }
    }
}

#[tokio::test]
async fn time_never_falls() {
    let log = Log::new().await;
    let (one, other) = (log.node().await, log.node().await);
    log.write(1).await;
    let first = one.checkpoint().await.expect("written").checkpoint;
    log.clock.set(EARLIER);
    log.write(1).await;
    let second = one.checkpoint().await.expect("the lease still stands").checkpoint;
    assert_eq!((second.at, second.number), (first.at, 2));
    one.engine.release_audit_checkpoints().await.expect("released");
    log.write(1).await;
    let third = other.checkpoint().await.expect("on another node too").checkpoint;
    assert_eq!((third.at, third.number), (first.at, 3));
    log.clock.set(first.at.plus_seconds(5));
    log.write(1).await;
    assert_eq!(other.checkpoint().await.expect("written").checkpoint.at, first.at.plus_seconds(5));
    assert_eq!(log.checkpoints().await.len(), 4);
    assert_eq!(one.verify(None, 500).await, []);
}

#[tokio::test]
async fn what_was_tampered_with_is_not_vouched_for() {
    let log = Log::new().await;
    let node = log.node().await;
    log.write(2).await;
    assert_eq!(number(node.checkpoint().await), Some(1));
    log.write(2).await;
    // The last record lacks the signature, was cut off, or has another hash; the last checkpoint is damaged; all of them are gone.
    for tampering in [
        Tampering::RemoveSignature(4),
        Tampering::RemoveRecord(4),
        Tampering::ChangeHash(4),
        Tampering::ChangeCheckpoint(1),
        Tampering::RemoveCheckpoint(1),
    ] {
        log.tamper([tampering]);
        for _ in 0..2 {
            assert_eq!(code(node.engine.checkpoint_audit().await), Some(Code::Internal), "{tampering:?}");
        }
        log.mend();
        assert_eq!(log.checkpoints().await.len(), 1, "{tampering:?}");
    }
    assert_eq!(number(node.checkpoint().await), Some(2));
}

/// Also when no stream has moved that they told of.
#[tokio::test]
async fn when_all_are_gone_no_first_one_is_written() {
    let log = Log::new().await;
    let node = log.node().await;
    log.write(2).await;
    assert_eq!(number(node.checkpoint().await), Some(1));
    log.tamper([Tampering::RemoveCheckpoint(1), Tampering::StreamsInFront(1)]);
    for node in [node, log.node().await] {
        let refused = node.engine.checkpoint_audit().await.expect_err("they are gone");
        assert!(refused.to_string().contains("are gone"), "{refused}");
        node.engine.release_audit_checkpoints().await.expect("released");
    }
    log.mend();
    assert_eq!(log.checkpoints().await.len(), 1);
}

#[tokio::test]
async fn without_keys_there_are_none() {
    let log = Log::new().await;
    log.write(1).await;
    let engine = strongroom::Engine::new(log.ports.clone(), strongroom::Limits::default());
    assert_eq!(engine.checkpoint_audit().await.expect("does nothing"), None);
    engine.release_audit_checkpoints().await.expect("does nothing");
    assert_eq!(log.checkpoints().await, []);
}
