use super::{Fault, Log, Mood, Sink, Told, round};
use crate::damaged_log::{DamagedLog, PlantedAhead};
use crate::support::code;
use async_trait::async_trait;
use core::future::poll_fn;
use core::task::Poll;
use std::sync::Arc;
use strongroom::audit::{ForwardError, Indexed, SinkTurns};
use strongroom::domain::audit::{ChainedRecord, LogReader, SinkName};
use strongroom::domain::port::{AuditSink, SinkError};
use strongroom::domain::unit::Change;
use strongroom::{Code, Engine};

const BATCH: u32 = 4;

/// A round of a sink that nothing is remembered of.
async fn forward(node: &Engine, sink: &dyn AuditSink) -> Result<Told, ForwardError> {
    round(node, sink, &mut SinkTurns::of_at_most(BATCH)).await
}

async fn all(node: &Engine, sink: &Sink) -> u64 {
    let mut records = 0;
    loop {
        let done = forward(node, sink).await.expect("forwards");
        records += done.records;
        if !done.more {
            return records;
        }
    }
}

fn upto(last: u64) -> Vec<u64> {
    (1..=last).collect()
}

#[tokio::test]
async fn every_record_goes_out_once_and_in_order() {
    let log = Log::new().await;
    let (node, sink) = (log.node(), Sink::new("a"));
    assert_eq!(forward(&node, &sink).await.expect("rests"), Told::default());
    log.write(90).await;
    let first = forward(&node, &sink).await.expect("forwards");
    // A round is bounded, so that each stream has its turn.
    assert_eq!(first, Told { records: 32, more: true, ..Told::default() });
    log.write(3).await;
    assert_eq!(all(&node, &sink).await, 61);
    assert_eq!(sink.taken(), upto(93));
    assert!(sink.deliveries().iter().all(|delivery| delivery.len() <= BATCH as usize));
    assert_eq!(all(&node, &sink).await, 0);
    // A sink that comes later begins with what there is.
    let later = Sink::new("b");
    assert_eq!(all(&node, &later).await, 93);
    assert_eq!(later.taken(), upto(93));
}

#[tokio::test]
async fn a_dead_sink_misses_nothing_and_holds_up_nobody() {
    let log = Log::new().await;
    let (node, dead, alive) = (log.node(), Sink::new("dead"), Sink::new("alive"));
    log.write(10).await;
    dead.is(Mood::Refuses);
    for _ in 0..3 {
        assert!(matches!(forward(&node, &dead).await, Err(ForwardError::Sink(_))));
        log.advance(60);
        log.write(1).await;
    }
    assert_eq!(all(&node, &alive).await, 13);
    let lag = node.audit_lag(&dead.reader()).await.expect("readable");
    assert_eq!((lag.records, lag.oldest), (13, Some(log.records().await[0].record.at)));
    dead.is(Mood::Takes);
    assert_eq!(all(&node, &dead).await, 13);
    assert_eq!((dead.taken(), alive.taken()), (upto(13), upto(13)));
    assert_eq!(node.audit_lag(&dead.reader()).await.expect("readable"), Default::default());
}

#[tokio::test]
async fn a_sink_that_can_take_few_takes_them_in_smaller_batches() {
    let log = Log::new().await;
    let (node, sink) = (log.node(), Sink::new("a"));
    log.write(5).await;
    sink.is(Mood::TakesFew(1));
    let mut turns = SinkTurns::default();
    for _ in 0..3 {
        assert!(round(&node, &sink, &mut turns).await.is_err());
    }
    assert_eq!(round(&node, &sink, &mut turns).await.expect("forwards"), Told { records: 5, ..Told::default() });
    assert_eq!(sink.taken(), upto(5));
}

#[tokio::test]
async fn a_sink_that_takes_and_dies_is_given_the_same_again() {
    let log = Log::new().await;
    let (node, sink) = (log.node(), Sink::new("a"));
    log.write(6).await;
    sink.is(Mood::TakesAndDies);
    assert!(forward(&node, &sink).await.is_err());
    sink.is(Mood::Takes);
    assert_eq!(all(&node, &sink).await, 6);
    assert_eq!(sink.deliveries(), [vec![1, 2, 3, 4], vec![1, 2, 3, 4], vec![5, 6]]);
}

/// Else it would be waited for longer each time, however much it takes.
#[tokio::test]
async fn a_sink_that_fails_now_and_then_has_not_failed() {
    let log = Log::new().await;
    let (node, sink) = (log.node(), Sink::new("a"));
    log.write(10).await;
    sink.is(Mood::TakesOne);
    let done = forward(&node, &sink).await.expect("it took something");
    assert_eq!(done, Told { records: 4, more: true, refused: true, ..Told::default() });
    assert!(forward(&node, &sink).await.is_err(), "nothing was taken");
    sink.is(Mood::Takes);
    assert_eq!(all(&node, &sink).await, 6);
    assert_eq!(sink.taken(), upto(10));
}

#[tokio::test]
async fn what_could_not_be_noted_comes_again_and_what_was_noted_does_not() {
    let log = Log::new().await;
    let (node, sink) = (log.node(), Sink::new("a"));
    log.write(4).await;
    let advances = |change: &Change| matches!(change, Change::AdvanceReader { .. });
    log.plan(advances, Fault::Refused);
    let error = forward(&node, &sink).await.expect_err("is not noted");
    assert!(matches!(error, ForwardError::Store(error) if error.code() == Code::StoreUnavailable));
    log.plan(advances, Fault::Unknown);
    let error = forward(&node, &sink).await.expect_err("nobody knows");
    assert!(matches!(error, ForwardError::Store(error) if error.code() == Code::OutcomeUnknown));
    log.mend();
    log.write(1).await;
    assert_eq!(all(&node, &sink).await, 1);
    assert_eq!(sink.deliveries(), [vec![1, 2, 3, 4], vec![1, 2, 3, 4], vec![5]]);
}

#[tokio::test]
async fn a_node_that_comes_after_another_goes_on_where_that_one_stopped() {
    let log = Log::new().await;
    let sink = Sink::new("a");
    log.write(6).await;
    let first = log.node();
    all(&first, &sink).await;
    log.write(3).await;
    // It stops in an orderly way.
    first.release_audit_sinks().await.expect("releases");
    let second = log.node();
    assert_eq!(all(&second, &sink).await, 3);
    drop(second);
    // That one was killed: its lease has to run out.
    log.write(2).await;
    let third = log.node();
    assert_eq!(all(&third, &sink).await, 0);
    log.advance(121);
    assert_eq!(all(&third, &sink).await, 2);
    assert_eq!(sink.taken(), upto(11));
}

#[tokio::test]
async fn of_two_nodes_one_sends_for_all_its_sinks() {
    let log = Log::new().await;
    let nodes = [log.node(), log.node()];
    let sinks = [Sink::new("a"), Sink::new("b")];
    for round in 0..20 {
        log.write(3).await;
        log.advance(if round == 10 { 200 } else { 1 });
        for node in &nodes {
            for sink in &sinks {
                forward(node, sink).await.expect("forwards");
            }
        }
    }
    for sink in &sinks {
        assert_eq!(sink.taken(), upto(60));
    }
}

/// A sink in whose delivery another node takes over.
struct Overtaken<'a> {
    log: &'a Log,
    other: &'a Engine,
    inner: Arc<Sink>,
}

#[async_trait]
impl AuditSink for Overtaken<'_> {
    fn name(&self) -> &SinkName {
        &self.inner.name
    }

    async fn deliver(&self, records: &[ChainedRecord]) -> Result<(), SinkError> {
        self.inner.deliver(records).await?;
        self.log.advance(121);
        forward(self.other, self.inner.as_ref()).await.map(drop).map_err(|error| SinkError::new("").because(error))
    }
}

#[tokio::test]
async fn a_node_that_lost_its_lease_notes_nothing() {
    let log = Log::new().await;
    let (node, other, inner) = (log.node(), log.node(), Arc::new(Sink::new("a")));
    log.write(6).await;
    let sink = Overtaken { log: &log, other: &other, inner: inner.clone() };
    assert_eq!(round(&node, &sink, &mut SinkTurns::of_at_most(2)).await.expect("ends"), Told::default());
    assert_eq!(inner.deliveries(), [vec![1, 2], vec![1, 2, 3, 4], vec![5, 6]]);
    assert_eq!(log.through(&inner.reader()).await, 6);
    assert_eq!(all(&node, &inner).await, 0);
}

#[tokio::test]
async fn a_sink_that_hangs_keeps_neither_writers_nor_other_sinks_waiting() {
    let log = Log::new().await;
    let (node, stuck, quick) = (log.node(), Sink::new("stuck"), Sink::new("quick"));
    log.write(3).await;
    stuck.is(Mood::Hangs);
    let mut round = Box::pin(forward(&node, &stuck));
    for _ in 0..5 {
        poll_fn(|cx| {
            assert!(round.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        log.write(1).await;
        all(&node, &quick).await;
    }
    assert_eq!(quick.taken(), upto(8));
    // It is given up, as at a stop.
    drop(round);
    stuck.is(Mood::Takes);
    assert_eq!(all(&node, &stuck).await, 8);
}

#[tokio::test]
async fn a_store_that_is_down_is_told_as_such() {
    let log = Log::new().await;
    let (node, sink) = (log.node(), Sink::new("a"));
    log.write(1).await;
    log.plan(|_| true, Fault::Refused);
    let failed = forward(&node, &sink).await;
    let Err(ForwardError::Store(error)) = failed else { panic!("the store is down") };
    assert_eq!(code::<()>(Err(error)), Some(Code::StoreUnavailable));
}

/// Neither sinks nor the index stop at one, and it is told that it was left out.
#[tokio::test]
async fn a_damaged_record_holds_up_nobody() {
    let mut log = Log::new().await;
    // A whole batch, too, and the last one.
    let damaged = [2, 5, 6, 7, 8, 12];
    log.ports.audit = DamagedLog::of(log.store.clone(), damaged);
    log.write(12).await;
    let (node, sink) = (log.node(), Sink::new("a"));
    let before = node.audit_lag(&sink.reader()).await.expect("readable");
    assert_eq!(before.records, 12);
    let done = forward(&node, &sink).await.expect("forwards");
    assert_eq!(done, Told { records: 6, unreadable: 6, ..Told::default() });
    assert_eq!(sink.deliveries(), [vec![1, 3, 4], vec![9, 10, 11]]);
    assert_eq!(forward(&node, &sink).await.expect("rests"), Told::default());

    assert_eq!(node.index_audit(100).await.expect("indexes").records, 12);
    assert_eq!(node.audit_lag(&LogReader::Index).await.expect("readable"), Default::default());

    // Where the first that waits is damaged, it can't be told when it was made.
    let later = Sink::new("b");
    log.write(1).await;
    log.ports.audit = DamagedLog::of(log.store.clone(), [1]);
    let lag = log.node().audit_lag(&later.reader()).await.expect("readable");
    assert_eq!((lag.records, lag.oldest), (13, None));
}

#[tokio::test]
async fn what_was_planted_before_the_first_record_goes_nowhere_and_holds_up_nobody() {
    for batch in [1, 2, 9] {
        let mut log = Log::new().await;
        log.ports.audit = DamagedLog::of(log.store.clone(), [0, 1]);
        log.write(3).await;
        let (node, sink) = (log.node(), Sink::new("a"));
        let done = round(&node, &sink, &mut SinkTurns::of_at_most(batch)).await.expect("forwards");
        assert_eq!(done, Told { records: 2, unreadable: 1, ..Told::default() }, "{batch}");
        assert_eq!(sink.deliveries().concat(), [2, 3]);
        for _ in 0..3 {
            node.index_audit(batch).await.expect("indexes");
        }
        assert_eq!(node.audit_lag(&LogReader::Index).await.expect("readable"), Default::default(), "{batch}");
    }
}

/// Who moved on to it would never take what is written before it later.
#[tokio::test]
async fn what_was_planted_far_ahead_goes_nowhere_and_holds_up_nobody() {
    let mut log = Log::new().await;
    log.write(3).await;
    log.ports.audit = PlantedAhead::of(log.store.clone(), 1_000);
    let (node, sink) = (log.node(), Sink::new("a"));
    let foreign = |records, foreign| Told { records, foreign, ..Told::default() };
    for (new, all) in [(0, 3), (2, 5), (1, 6)] {
        log.write(new).await;
        let before = sink.taken().len() as u64;
        assert_eq!(forward(&node, &sink).await.expect("forwards"), foreign(all - before, 1));
        assert_eq!(forward(&node, &sink).await.expect("forwards"), foreign(0, 1));
        assert_eq!(sink.taken(), (1..=all).collect::<Vec<_>>());
        assert_eq!(
            node.index_audit(100).await.expect("indexes"),
            Indexed { records: (all - before) as u32, foreign: 0, more: true }
        );
        let rest = Indexed { foreign: 1, ..Indexed::default() };
        assert_eq!(node.index_audit(100).await.expect("indexes"), rest);
    }
    // What a writer signed behind a gap is taken: somebody removed what was before.
    let mut log = Log::new().await;
    log.write(9).await;
    log.ports.audit = PlantedAhead::of(log.store.clone(), 7);
    let (node, sink) = (log.node(), Sink::new("a"));
    assert_eq!(forward(&node, &sink).await.expect("forwards"), foreign(3, 0));
    assert_eq!(sink.taken(), [7, 8, 9]);
}
