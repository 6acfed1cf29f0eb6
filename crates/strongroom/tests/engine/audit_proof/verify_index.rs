//! That every line of the index is one that its record gives, in steps, whatever goes on meanwhile.

use super::{Log, Node, Tampering, steps_of};
use strongroom::audit::{VerifyCursor, VerifyPhase, VerifyStep};
use strongroom::domain::audit::{Finding, FindingKind, IndexEntry};
use strongroom::domain::port::AuditReader;

async fn step(node: &Node, cursor: Option<VerifyCursor>, limit: u32) -> VerifyStep {
    let verify = node.engine.verify_audit(&node.session);
    verify.run(cursor, None, steps_of(limit)).await.expect("verifies")
}

/// A log with so many records, all of which are in the index and told of by three checkpoints.
async fn log_of(records: usize) -> (Log, Node) {
    let log = Log::new().await;
    let node = log.node().await;
    log.written_by(&node);
    for _ in 0..3 {
        log.write(records / 3).await;
        node.checkpoint().await.expect("written");
    }
    node.index().await;
    (log, node)
}

/// Nothing was written to a stream for more than an hour; it goes on after verification walked it: the steps end at every place.
#[tokio::test]
async fn a_stream_that_goes_on_after_a_long_rest_has_no_foreign_lines() {
    for limit in 1..=24 {
        let (log, node) = log_of(9).await;
        log.advance(61 * 60);
        let (mut cursor, mut phases) = (None, Vec::new());
        loop {
            let done = step(&node, cursor, limit).await;
            assert_eq!((done.findings, done.index_uncounted), (Vec::new(), false), "{limit} at once");
            phases.push(done.phase);
            cursor = done.next;
            if cursor.is_none() {
                break;
            }
            // What was written for the first step, and more.
            if phases.len() < 40 {
                log.write(1).await;
                node.index().await;
            }
        }
        assert_eq!(phases.last(), Some(&VerifyPhase::Index));
    }
}

#[tokio::test]
async fn the_index_is_checked_in_steps_while_it_goes_on() {
    let (log, node) = log_of(30).await;
    let lines = log.store.index_lines(None, 1_000).await.expect("readable").len() as u64;
    let (mut cursor, mut checked) = (None, Vec::new());
    loop {
        let done = step(&node, cursor, 20).await;
        assert_eq!(done.findings, []);
        if done.phase == VerifyPhase::Index {
            checked.push(done.checked);
            assert!(done.checked <= done.total);
            // The index is not held meanwhile.
            log.write(1).await;
            assert!(node.engine.index_audit(200).await.expect("indexes").records > 0);
        }
        let Some(next) = done.next else { break };
        cursor = Some(VerifyCursor::from_bytes(&next.to_bytes()).expect("a cursor"));
    }
    assert!(checked.len() as u64 >= lines / 20, "{checked:?}");
    assert!(checked.windows(2).all(|pair| pair[1] - pair[0] <= 20), "{checked:?}");
    assert!(checked.last() >= Some(&lines), "{checked:?} of {lines}");
}

/// Where a record's own lines are gone, as many foreign ones can't stand in for them.
#[tokio::test]
async fn foreign_lines_are_told_once_and_beside_those_that_are_missing() {
    let (log, node) = log_of(12).await;
    log.tamper([Tampering::AddLines, Tampering::RemoveLines(4)]);
    let wanted = [
        Finding::at_record(FindingKind::IndexLineMissing, super::STREAM, 4),
        Finding::of_all(FindingKind::IndexLinesForeign),
    ];
    for limit in [1, 7, 500] {
        assert_eq!(node.verify(None, limit).await, wanted, "{limit} at once");
    }
}

/// Where records are not what was signed, their lines are not looked at, and that is told.
#[tokio::test]
async fn lines_of_records_that_are_gone_are_no_second_finding() {
    let (log, node) = log_of(12).await;
    log.tamper([Tampering::RemoveRecord(4)]);
    let done = step(&node, None, 500).await;
    assert_eq!(done.findings, [Finding::at_record(FindingKind::RecordMissing, super::STREAM, 4)]);
    assert!(done.index_uncounted && done.next.is_none());
}

/// A line is foreign by any part of it.
#[tokio::test]
async fn a_line_is_its_records_by_every_part() {
    let (log, _) = log_of(3).await;
    let line = log.store.index_lines(None, 1).await.expect("readable").pop().expect("some");
    assert!(line.is_of_its_record());
    let entry = line.entry;
    let others = [
        IndexEntry { organisation: Some(strongroom::domain::id::OrganisationId::new(uuid::Uuid::max())), ..entry },
        IndexEntry { term: strongroom::domain::audit::Term::status(599, false), ..entry },
        IndexEntry { at: strongroom::domain::time::Timestamp::from_micros(1), ..entry },
        IndexEntry { event: strongroom::domain::id::EventId::new(uuid::Uuid::max()), ..entry },
    ];
    for other in others {
        let stored = strongroom::domain::port::StoredLine { entry: other, ..line.clone() };
        assert!(!stored.is_of_its_record(), "{other:?}");
    }
    let nowhere = strongroom::domain::port::StoredLine { canonical: None, ..line.clone() };
    let garbage = strongroom::domain::port::StoredLine { canonical: Some(vec![1]), ..line };
    assert!(!nowhere.is_of_its_record() && !garbage.is_of_its_record());
}
