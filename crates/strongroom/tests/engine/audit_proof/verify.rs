use super::history::{Event, event, history, run};
use super::{Log, Tampering, operator, steps_of, verify_on};
use crate::support::code;
use async_trait::async_trait;
use core::time::Duration;
use futures_util::FutureExt;
use proptest::prelude::*;
use std::sync::Arc;
use strongroom::audit::{MAX_VERIFIED_AT_ONCE, VerifyCursor, VerifyLimit, VerifyPhase, VerifyStep};
use strongroom::domain::audit::{Finding, FindingKind};
use strongroom::domain::port::{AuditReader, Clock, ReadError, StoredCheckpoint};
use strongroom::{Code, Engine, Error, Limits};
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::{AlterLog, AlteredLog, FixedSigner};

/// By kind, and a place that is taken modulo how many there are.
fn tamperings() -> impl Strategy<Value = Vec<(u8, prop::sample::Index)>> {
    prop::collection::vec((0..10_u8, any::<prop::sample::Index>()), 0..4)
}

/// Of a page of records, what is wrong with lines of the index comes last: how many make a page decides what comes first.
fn apart(findings: Vec<Finding>) -> (Vec<Finding>, Vec<Finding>) {
    findings.into_iter().partition(|finding| finding.kind == FindingKind::IndexLineMissing)
}

/// A place among these numbers, from 1.
fn pick(place: &prop::sample::Index, of: u64) -> u64 {
    place.index(usize::try_from(of).expect("few")) as u64 + 1
}

#[test]
fn in_steps_of_any_size_and_on_any_node_it_finds_the_same() {
    let input = (prop::collection::vec(event(), 0..16), tamperings());
    run(48, &input, async |(events, tamperings)| {
        let (mut log, _) = history(&events).await;
        // What verifying records goes elsewhere, so that the log stays as it is.
        log.ports.audit_log = Arc::new(MemoryStore::new(Arc::new(FixedSigner), super::STREAM));
        let (node, other) = (log.node().await, log.node().await);
        prop_assert_eq!(node.verify(None, MAX_VERIFIED_AT_ONCE).await, []);
        let (last, _) = log.end().await;
        let checkpoints = log.checkpoints().await.len() as u64;
        let tampered = tamperings.iter().map(|(kind, place)| match kind {
            0 => Tampering::ChangeRecord(pick(place, last)),
            1 => Tampering::RemoveRecord(pick(place, last)),
            2 => Tampering::RemoveSignature(last),
            3 => Tampering::CutRecords(pick(place, last)),
            4 => Tampering::ChangeCheckpoint(pick(place, checkpoints)),
            5 => Tampering::RemoveCheckpoint(pick(place, checkpoints)),
            6 => Tampering::CutCheckpoints(pick(place, checkpoints)),
            7 => Tampering::ChangeHash(pick(place, last)),
            8 => Tampering::RemoveLines(pick(place, last)),
            _ => Tampering::AddLines,
        });
        let tampered: Vec<_> = tampered.collect();
        log.tamper(tampered.iter().copied());
        let all = apart(node.verify(None, MAX_VERIFIED_AT_ONCE).await);
        // What retention removed can't be tampered with.
        let first = log.store.links(super::STREAM, 0, 1).await.expect("readable")[0].sequence;
        let is_seen = |it: &Tampering| match it {
            Tampering::ChangeRecord(at) | Tampering::ChangeHash(at) => *at >= first,
            Tampering::RemoveRecord(at) | Tampering::RemoveLines(at) => *at >= first,
            _ => true,
        };
        prop_assert_eq!(all != Default::default(), tampered.iter().any(is_seen), "{:?}: {:?}", &tampered, &all);
        for limit in [1, 2, 3, 7, 500] {
            let found = apart(node.verify(None, limit).await);
            prop_assert_eq!(&found, &all, "{} at once, {:?}", limit, &tampered);
            let found = apart(verify_on(&[&node, &other], None, limit).await);
            prop_assert_eq!(&found, &all, "{} at once on two nodes, {:?}", limit, &tampered);
        }
        Ok(())
    });
}

/// More checkpoints and records than are read at once, and nodes that are started anew now and then.
#[tokio::test]
async fn a_long_log_is_verified_by_nodes_that_come_and_go() {
    let log = Log::new().await;
    let node = log.node().await;
    for _ in 0..700 {
        log.write(1).await;
        node.checkpoint().await.expect("written");
    }
    while node.engine.index_audit(200).await.expect("indexes").more {}
    let (mut node, mut cursor, mut records) = (node, None, 0);
    for steps in 1.. {
        let step = node.engine.verify_audit(&node.session).run(cursor, None, steps_of(150)).await.expect("verifies");
        assert_eq!(step.findings, []);
        assert!(step.records >= records && step.checked <= step.total);
        records = step.records;
        let Some(next) = step.next else {
            assert_eq!((records, step.checkpoints, step.index_uncounted), (700 + 1, 700, false));
            assert!(steps > 16, "some nodes have come and gone");
            break;
        };
        assert_eq!(VerifyCursor::from_bytes(&next.to_bytes()).as_ref(), Ok(&next));
        cursor = Some(next);
        assert!(steps < 100, "it comes to no end");
        // It reads the checkpoints again before it goes on.
        if steps % 8 == 0 {
            node = log.node().await;
        }
    }
}

fn kinds(findings: &[Finding]) -> Vec<FindingKind> {
    findings.iter().map(|finding| finding.kind).collect()
}

#[tokio::test]
async fn an_anchor_must_be_in_the_log() {
    let (log, node) = history(&[Event::Write(2), Event::Checkpoint, Event::Rotate, Event::Write(1)]).await;
    let all = log.stored_checkpoints().await;
    for anchor in &all {
        for limit in [1, 500] {
            assert_eq!(node.verify(Some(anchor), limit).await, []);
        }
    }
    let last = all.last().expect("some").clone();
    let beyond = StoredCheckpoint { number: last.number + 1, ..last.clone() };
    let found = node.verify(Some(&beyond), 1).await;
    assert_eq!(found, [Finding::at_checkpoint(FindingKind::AnchorMissing, last.number + 1)], "told once");
    for number in [0, u64::MAX] {
        let beyond = StoredCheckpoint { number, ..last.clone() };
        assert_eq!(kinds(&node.verify(Some(&beyond), 500).await), [FindingKind::AnchorMissing], "{number}");
    }
    let mut signature = last.signature.clone();
    signature.1[0] ^= 1;
    let differing =
        [StoredCheckpoint { signature, ..last.clone() }, StoredCheckpoint { number: last.number, ..all[0].clone() }];
    for other in differing {
        assert_eq!(kinds(&node.verify(Some(&other), 500).await), [FindingKind::AnchorDiffers]);
    }
    // The log is set back to before it.
    log.tamper([Tampering::CutCheckpoints(last.number)]);
    assert_eq!(kinds(&node.verify(Some(&last), 500).await)[0], FindingKind::AnchorMissing);
    assert_eq!(node.verify(Some(&all[0]), 500).await.iter().filter(|it| it.checkpoint.is_some()).count(), 0);
    // Only the first step looks for it.
    log.mend();
    let step = async |cursor, anchor| {
        let verify = node.engine.verify_audit(&node.session);
        verify.run(cursor, anchor, steps_of(1)).await
    };
    let begun = step(None, None).await.expect("verifies").next;
    assert_eq!(step(begun, Some(beyond)).await.expect("verifies").findings, []);
}

/// Whoever goes on after the store was set back, or was set back and written anew, hears of it, also from a node that remembers nothing.
#[tokio::test]
async fn a_store_that_is_set_back_between_steps_is_noticed() {
    let rounds =
        [Event::Write(3), Event::Checkpoint, Event::Write(3), Event::Checkpoint, Event::Write(3), Event::Checkpoint];
    let (log, node) = history(&rounds).await;
    let last = log.stored_checkpoints().await.last().expect("some").number;
    let told = Finding::at_checkpoint(FindingKind::CheckpointsCutOff, last);
    let tamperings =
        [vec![Tampering::CutCheckpoints(last), Tampering::CutRecords(8)], vec![Tampering::ChangeCheckpoint(last)]];
    for (tampering, is_same) in tamperings.iter().flat_map(|it| [(it, false), (it, true)]) {
        let (mut cursor, mut findings, mut is_begun) = (None, Vec::new(), false);
        loop {
            let other = log.node().await;
            let asked = if is_same || !is_begun { &node } else { &other };
            let limit = if is_begun { 500 } else { 1 };
            let verify = asked.engine.verify_audit(&asked.session);
            let step = verify.run(cursor, None, steps_of(limit)).await.expect("verifies");
            findings.extend(step.findings);
            if !is_begun && step.phase == VerifyPhase::Streams {
                assert_eq!(findings, []);
                log.tamper(tampering.clone());
                is_begun = true;
            }
            cursor = step.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(findings.iter().filter(|it| **it == told).count(), 1, "{tampering:?}, {is_same}: {findings:?}");
        log.mend();
    }
}

#[tokio::test]
async fn what_was_tampered_with_is_named() {
    let (log, node) = history(&[Event::Write(5), Event::Checkpoint, Event::Write(4)]).await;
    let first = async |tampering| {
        log.tamper([tampering]);
        let findings = node.verify(None, 2).await;
        log.mend();
        findings.first().copied()
    };
    let at = |kind, sequence| Some(Finding::at_record(kind, super::STREAM, sequence));
    let checkpoint = |kind, number| Some(Finding::at_checkpoint(kind, number));
    assert_eq!(first(Tampering::ChangeRecord(4)).await, at(FindingKind::RecordChanged, 4));
    assert_eq!(first(Tampering::RemoveRecord(3)).await, at(FindingKind::RecordMissing, 3));
    assert_eq!(first(Tampering::CutRecords(6)).await, at(FindingKind::RecordsCutOff, 6));
    assert_eq!(first(Tampering::ChangeCheckpoint(2)).await.and_then(|it| it.checkpoint), Some(2));
    assert_eq!(first(Tampering::RemoveCheckpoint(2)).await, checkpoint(FindingKind::CheckpointMissing, 2));
    assert_eq!(first(Tampering::CutCheckpoints(3)).await, at(FindingKind::CheckpointsCutOff, 8));
    assert_eq!(first(Tampering::RemoveLines(5)).await, at(FindingKind::IndexLineMissing, 5));
    assert_eq!(first(Tampering::AddLines).await, Some(Finding::of_all(FindingKind::IndexLinesForeign)));
    assert_eq!(node.verify(None, 500).await, []);
}

#[tokio::test]
async fn a_step_ends_when_its_time_is_over() {
    let (log, node) = history(&[Event::Write(5)]).await;
    let step = async |cursor| {
        let limit = VerifyLimit { records: 500, time: Duration::ZERO };
        node.engine.verify_audit(&node.session).run(cursor, None, limit).await.expect("verifies")
    };
    let (mut cursor, mut steps) = (None, 0);
    // A step without time does nothing, but it does not fail; the next one goes on.
    loop {
        let done: VerifyStep = step(cursor).await;
        assert_eq!(done.findings, []);
        steps += 1;
        cursor = done.next;
        if cursor.is_none() || steps == 5 {
            break;
        }
    }
    assert_eq!(steps, 5, "without time it comes to no end");
    let last = node.engine.verify_audit(&node.session).run(cursor, None, steps_of(500)).await.expect("verifies");
    assert_eq!((last.next, last.records), (None, log.end().await.0));
}

#[tokio::test]
async fn limits_are_kept_and_the_first_step_leaves_a_record() {
    let (log, node) = history(&[]).await;
    let before = log.end().await.0;
    for records in [0, MAX_VERIFIED_AT_ONCE + 1, u32::MAX] {
        let refused = node.engine.verify_audit(&node.session).run(None, None, steps_of(records)).await;
        assert_eq!(code(refused), Some(Code::InvalidRequest), "{records}");
    }
    let engine = Engine::new(log.ports.clone(), Limits::default());
    let session = operator(&engine, &log.ports).await;
    let refused: Result<_, Error> = engine.verify_audit(&session).run(None, None, steps_of(1)).await;
    assert_eq!(code(refused), Some(Code::UnsupportedOperation));
    assert_eq!(node.verify(None, 1).await, []);
    let records = log.store.records(super::STREAM, before, 100).await.expect("readable");
    let told: Vec<_> = records.iter().map(|it| (it.record.action.as_str(), it.record.status)).collect();
    let refused = [("system.audit.verify", 400); 3];
    assert_eq!(told[..3], refused);
    assert_eq!(told[3].0, "system.audit.verify");
    assert_eq!((told[4..].len(), told[4]), (1, ("system.audit.verify", 200)));
}

/// Each keeps much in memory, and would read all checkpoints again for every step if another one took its place.
#[tokio::test]
async fn more_verifications_than_four_wait() {
    let log = Log::new().await;
    let node = log.node().await;
    log.write(5).await;
    node.checkpoint().await;
    let mut begun = Vec::new();
    for _ in 0..4 {
        let step = node.engine.verify_audit(&node.session).run(None, None, steps_of(1)).await.expect("begins");
        begun.push(step.next);
    }
    let fifth = node.engine.verify_audit(&node.session).run(None, None, steps_of(1)).await;
    assert_eq!(fifth.map(|_| ()).unwrap_err().code(), Code::TooManyVerifications);
    while begun[0].is_some() {
        let first = begun[0].take();
        begun[0] = node.engine.verify_audit(&node.session).run(first, None, steps_of(1)).await.expect("goes on").next;
    }
    let fifth = node.engine.verify_audit(&node.session).run(None, None, steps_of(1)).await;
    assert!(fifth.expect("begins").next.is_some());
    // Nor is the place of one that goes on another's, while its step is under way.
    let mut log = log;
    log.ports.audit = Arc::new(AlteredLog(Arc::new(Waiting { inner: log.ports.audit.clone() })));
    let slow = log.node().await;
    let verify = || slow.engine.verify_audit(&slow.session).run(None, None, steps_of(1));
    let mut steps: Vec<_> = (0..4).map(|_| Box::pin(verify())).collect();
    for step in &mut steps {
        assert!(step.now_or_never().is_none());
    }
    assert_eq!(
        verify().now_or_never().expect("refused at once").map(|_| ()).unwrap_err().code(),
        Code::TooManyVerifications
    );
    drop(steps);
    // Those that nobody goes on with take no place for long.
    log.advance(60);
    assert_eq!(node.verify(None, 1).await, []);
}

#[tokio::test]
async fn records_that_no_checkpoint_tells_of_for_long_are_told() {
    let log = Log::new().await;
    let node = log.node().await;
    log.write(2).await;
    node.checkpoint().await;
    let since = log.clock.now();
    log.write(1).await;
    for (seconds, expected) in [(60, None), (1, Some(since))] {
        log.advance(seconds);
        let step = node.engine.verify_audit(&node.session).run(None, None, steps_of(1_000)).await.expect("verifies");
        assert_eq!((step.next.is_none(), step.unchecked_since), (true, expected));
    }
}

/// Checkpoints never come.
struct Waiting {
    inner: Arc<dyn AuditReader>,
}

#[async_trait]
impl AlterLog for Waiting {
    fn log(&self) -> &dyn AuditReader {
        &*self.inner
    }

    async fn checkpoints(&self, _: u64, _: u32) -> Result<Vec<StoredCheckpoint>, ReadError> {
        core::future::pending().await
    }
}
