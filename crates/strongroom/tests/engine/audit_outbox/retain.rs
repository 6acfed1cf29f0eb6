use super::{Fault, Log, Mood, STREAM, Sink, name};
use strongroom::audit::{Retained, SinkTurns};
use strongroom::domain::audit::{Action, ChainState, LogReader};
use strongroom::domain::lease::{LeaseName, LeaseTtl};
use strongroom::domain::port::{AuditLog, AuditReader, Clock, Leases};
use strongroom::domain::time::Timestamp;
use strongroom::domain::unit::Change;
use strongroom_testkit::build;
use uuid::Uuid;

const DAY: u64 = 24 * 60 * 60;

fn removed(removed: u64) -> Retained {
    Retained { removed, ..Retained::default() }
}

const fn removes(change: &Change) -> bool {
    matches!(change, Change::RemoveRecords { .. })
}

/// The records that tell of removals: how many each.
async fn told(log: &Log) -> Vec<u64> {
    let records = log.records().await.into_iter().map(|it| it.record);
    let told = records.filter(|record| record.action == Action::AuditRetention);
    told.map(|record| {
        assert_eq!((record.organisation, record.principal, record.request.is_some()), (None, None, false));
        assert_eq!(record.resource.expect("a resource").identity, STREAM.to_string());
        record.details.expect("details").count.expect("a count")
    })
    .collect()
}

#[tokio::test]
async fn old_records_go_and_young_ones_stay() {
    let log = Log::new().await;
    let node = log.node();
    log.write(7).await;
    let seventh = log.records().await.pop().expect("written");
    log.advance(DAY);
    log.write(5).await;
    log.keep_up(&node).await;
    assert_eq!(node.retain_audit(2, &[]).await.expect("retains"), removed(0));
    log.pass(&node, DAY + 1).await;
    log.write(1).await;
    log.keep_up(&node).await;
    assert_eq!(node.retain_audit(2, &[]).await.expect("retains"), removed(7));
    assert_eq!(log.sequences().await, [8, 9, 10, 11, 12, 13, 14]);
    assert_eq!(told(&log).await, [7]);
    let begin = ChainState { stream: STREAM, sequence: 7, hash: seventh.hash };
    assert_eq!(log.announced().await, [begin]);
    // Their lines are gone too; what stays is found.
    log.keep_up(&node).await;
    let lines: usize = log
        .records()
        .await
        .iter()
        .map(|it| strongroom::domain::audit::IndexEntry::of(&it.record, it.sequence).len())
        .sum();
    assert_eq!(log.store.index_lines(None, 1_000).await.expect("readable").len(), lines);
    assert_eq!(node.retain_audit(2, &[]).await.expect("retains"), removed(0));
    assert_eq!(log.announced().await.len(), 1, "nothing is announced for nothing");
}

#[tokio::test]
async fn what_somebody_has_not_had_stays() {
    let log = Log::new().await;
    let (node, sink, other) = (log.node(), Sink::new("a"), Sink::new("b"));
    let sinks = [sink.name.clone(), other.name.clone()];
    log.write(10).await;
    log.advance(10 * DAY);
    // Neither index nor checkpoints have had them.
    assert_eq!(node.retain_audit(1, &[]).await.expect("retains"), removed(0));
    assert_eq!(node.index_audit(4).await.expect("indexes").records, 4);
    assert_eq!(node.retain_audit(1, &[]).await.expect("retains"), removed(0));
    node.checkpoint_audit().await.expect("writes");
    assert_eq!(node.retain_audit(1, &sinks).await.expect("retains"), removed(0));
    sink.is(Mood::TakesFew(2));
    node.forward_audit(&sink, &mut SinkTurns::of_at_most(2)).await.expect("forwards");
    assert_eq!(node.retain_audit(1, &sinks).await.expect("retains"), removed(0));
    other.is(Mood::TakesAndDies);
    assert!(node.forward_audit(&other, &mut SinkTurns::of_at_most(3)).await.is_err());
    assert_eq!(node.retain_audit(1, &sinks).await.expect("retains"), removed(0));
    assert_eq!(log.sequences().await, (1..=10).collect::<Vec<_>>());
    // Now it is the index that lags.
    other.is(Mood::Takes);
    node.forward_audit(&other, &mut SinkTurns::of_at_most(3)).await.expect("forwards");
    assert_eq!(node.retain_audit(1, &sinks).await.expect("retains"), removed(4));
    assert_eq!(log.sequences().await[0], 5);
    log.keep_up(&node).await;
    assert_eq!(node.retain_audit(1, &sinks).await.expect("retains"), removed(6));
    // A sink that is new begins with what there is.
    let late = Sink::new("late");
    node.forward_audit(&late, &mut SinkTurns::of_at_most(100)).await.expect("forwards");
    assert_eq!(late.taken()[0], 11);
    // One that nobody has configured any more holds nothing up.
    assert_eq!(log.through(&LogReader::Sink(name("gone"))).await, 0);
}

#[tokio::test]
async fn the_last_record_of_a_stream_stays() {
    let log = Log::new().await;
    let node = log.node();
    log.write(3).await;
    log.advance(10 * DAY);
    log.keep_up(&node).await;
    // The record of the removal comes after it, so that it can go then.
    assert_eq!(node.retain_audit(1, &[]).await.expect("retains"), removed(3));
    let announced: Vec<_> = log.announced().await.iter().map(|state| state.sequence).collect();
    assert_eq!((announced, log.sequences().await), (vec![2, 3], vec![4, 5]));
}

#[tokio::test]
async fn a_clock_that_went_back_lets_nothing_younger_go() {
    let log = Log::new().await;
    let node = log.node();
    log.write(2).await;
    let ahead = Timestamp::from_micros(log.clock.now().as_micros() + 100 * (DAY as i64) * 1_000_000);
    let mut record = build::record(Action::SecretValueRead);
    record.at = ahead;
    log.store.enqueue(record).await.expect("queues");
    log.write(2).await;
    log.advance(10 * DAY);
    log.keep_up(&node).await;
    assert_eq!(node.retain_audit(1, &[]).await.expect("retains"), removed(2));
    assert_eq!(log.sequences().await, [3, 4, 5, 6]);
}

/// Neither before the first checkpoint of that time, nor after it; what was old before goes nevertheless.
#[tokio::test]
async fn a_clock_that_jumped_ahead_lets_nothing_young_go() {
    let log = Log::new().await;
    let node = log.node();
    log.write(4).await;
    log.advance(2 * DAY);
    log.write(4).await;
    log.keep_up(&node).await;
    log.pass(&node, DAY).await;
    let from = log.clock.now();
    log.advance(10_000 * DAY);
    assert_eq!(node.retain_audit(2, &[]).await.expect("retains"), removed(4));
    assert_eq!(log.sequences().await, [5, 6, 7, 8, 9]);
    log.keep_up(&node).await;
    for node in [&node, &log.node()] {
        for _ in 0..3 {
            let done = node.retain_audit(2, &[]).await.expect("retains");
            assert_eq!((done.removed, done.jump.is_some()), (0, true));
        }
    }
    // It goes on so for half a day, and jumps again; then somebody sets it back, to what is wrong still.
    log.pass(&node, DAY / 2).await;
    log.advance(10_000 * DAY);
    log.keep_up(&node).await;
    for days in [10_000, 5_000] {
        log.clock.set(from);
        log.advance(days * DAY);
        node.checkpoint_audit().await.expect("writes");
        let done = log.node().retain_audit(9, &[]).await.expect("retains");
        assert_eq!((done.removed, done.jump.is_some()), (0, true), "{days}");
    }
    assert_eq!(log.sequences().await[0], 5);
}

/// However little a server runs, a jump of the clock is believed only while the log is less than a day old by its checkpoints.
#[tokio::test]
async fn a_clock_that_jumps_ahead_where_servers_rarely_run_lets_nothing_young_go() {
    for (jumps_on, is_believed) in [(0, true), (1, false), (11, false)] {
        let log = Log::new().await;
        for day in 0..jumps_on {
            let node = log.node();
            log.write(2).await;
            log.keep_up(&node).await;
            log.pass(&node, 2 * 60 * 60).await;
            assert_eq!(node.retain_audit(30, &[]).await.expect("rests").removed, 0, "{day}");
            log.advance(22 * 60 * 60);
        }
        log.write(1).await;
        log.keep_up(&log.node()).await;
        log.advance(365 * DAY);
        log.write(1).await;
        log.keep_up(&log.node()).await;
        for _ in 0..3 {
            let done = log.node().retain_audit(30, &[]).await.expect("retains");
            let young = if is_believed { 2 * jumps_on + 1 } else { 0 };
            assert!(done.removed <= young, "{} gone on day {jumps_on}", done.removed);
            assert_eq!(done.jump.is_some(), !is_believed, "{jumps_on}");
            log.pass(&log.node(), 2 * 60 * 60).await;
        }
        assert!(is_believed || log.records().await.len() as u64 == 2 * jumps_on + 2, "{jumps_on}");
    }
}

/// A store that nobody served for long is no other than one whose clock jumped; so the time comes after.
#[tokio::test]
async fn after_a_long_rest_what_is_old_goes_by_and_by() {
    let log = Log::new().await;
    let node = log.node();
    log.write(4).await;
    log.keep_up(&node).await;
    log.pass(&node, DAY).await;
    log.advance(100 * DAY);
    log.write(1).await;
    log.keep_up(&node).await;
    assert_eq!(node.retain_audit(90, &[]).await.expect("rests").removed, 0);
    log.pass(&node, 8 * DAY).await;
    assert_eq!(log.node().retain_audit(90, &[]).await.expect("rests").removed, 0);
    log.pass(&node, 4 * DAY).await;
    log.keep_up(&node).await;
    let done = log.node().retain_audit(90, &[]).await.expect("retains");
    assert_eq!((done.removed, done.jump), (4, None));
}

/// What the clock said in the first hour of a log binds nobody, nor does a while at a wrong time.
#[tokio::test]
async fn a_clock_that_was_wrong_at_first_is_forgotten() {
    for first in [1_000_000, 4_000_000_000_000_000] {
        let log = Log::new().await;
        let node = log.node();
        let now = log.clock.now();
        log.clock.set(Timestamp::from_micros(first));
        log.write(1).await;
        log.keep_up(&node).await;
        // For some hours, too.
        log.pass(&node, DAY / 4).await;
        log.clock.set(now);
        log.advance(60);
        log.write(4).await;
        log.keep_up(&node).await;
        log.pass(&node, 2 * DAY).await;
        log.write(1).await;
        log.keep_up(&node).await;
        let done = log.node().retain_audit(1, &[]).await.expect("retains");
        assert_eq!(done.jump, None, "{first}");
        assert_eq!(done.removed, if first == 1_000_000 { 5 } else { 0 }, "the first record holds up those behind it");
        // And no later jump is believed for it.
        log.advance(1_000 * DAY);
        node.checkpoint_audit().await.expect("writes");
        let done = log.node().retain_audit(10, &[]).await.expect("rests");
        assert_eq!((done.removed, done.jump.is_some()), (0, true), "{first}");
    }
}

/// As a machine without a clock of its own does, until it has asked for the time.
#[tokio::test]
async fn a_clock_that_starts_far_back_keeps_nothing_that_is_old() {
    let log = Log::new().await;
    log.write(4).await;
    log.keep_up(&log.node()).await;
    let mut gone = 0;
    for _ in 0..6 {
        let now = log.clock.now();
        let node = log.node();
        log.clock.set(Timestamp::from_micros(1_000_000));
        log.write(1).await;
        log.keep_up(&node).await;
        log.clock.set(now);
        log.advance(60);
        log.keep_up(&node).await;
        log.pass(&node, DAY / 2).await;
        log.write(1).await;
        log.keep_up(&node).await;
        gone += node.retain_audit(1, &[]).await.expect("retains").removed;
    }
    assert!(gone >= 4, "{gone}");
}

/// Checkpoints say the right time again, and the wrong one is forgotten; also on a node that starts then.
#[tokio::test]
async fn after_a_jump_that_was_set_right_retention_goes_on() {
    let log = Log::new().await;
    let node = log.node();
    log.write(4).await;
    log.keep_up(&node).await;
    log.pass(&node, DAY).await;
    let right = log.clock.now();
    log.advance(1_000 * DAY);
    log.write(1).await;
    log.keep_up(&node).await;
    assert_eq!(node.retain_audit(3, &[]).await.expect("rests").removed, 0);
    log.clock.set(right);
    log.advance(60);
    node.checkpoint_audit().await.expect("writes").expect("although nothing moved");
    for node in [&node, &log.node()] {
        assert_eq!(node.retain_audit(3, &[]).await.expect("rests"), removed(0));
    }
    log.pass(&node, 3 * DAY).await;
    log.write(1).await;
    log.keep_up(&node).await;
    assert_eq!(log.node().retain_audit(3, &[]).await.expect("retains"), removed(4));
    // The one of the wrong time is not old yet.
    assert_eq!(log.sequences().await[0], 5);
}

/// A store that is served for some hours at a time, as a day has them.
#[tokio::test]
async fn a_store_that_rests_each_night_loses_what_is_old() {
    let log = Log::new().await;
    let mut gone = 0;
    for day in 0..12 {
        let node = log.node();
        log.write(2).await;
        log.keep_up(&node).await;
        for _ in 0..8 {
            log.advance(60 * 60);
            node.checkpoint_audit().await.expect("writes");
        }
        log.keep_up(&node).await;
        gone += node.retain_audit(2, &[]).await.expect("retains").removed;
        let left = log.sequences().await.len() as u64;
        assert!(day < 7 || left <= 20, "{left} left after {day} days");
        log.advance(16 * 60 * 60);
    }
    assert!(gone >= 12, "{gone}");
}

#[tokio::test]
async fn many_records_go_in_units_each_of_which_was_announced() {
    let log = Log::new().await;
    let node = log.node();
    log.write(1_700).await;
    log.keep_up(&node).await;
    log.pass(&node, 2 * DAY).await;
    log.write(1).await;
    log.keep_up(&node).await;
    assert_eq!(node.retain_audit(1, &[]).await.expect("retains"), removed(1_700));
    assert_eq!(told(&log).await, [500, 500, 500, 200]);
    let announced: Vec<_> = log.announced().await.iter().map(|state| state.sequence).collect();
    assert_eq!(announced, [500, 1_000, 1_500, 1_700]);
}

#[tokio::test]
async fn a_crash_between_announcement_and_removal_is_made_good() {
    for (fault, left) in [(Fault::Refused, 800), (Fault::Unknown, 300)] {
        let log = Log::new().await;
        let node = log.node();
        log.write(800).await;
        log.keep_up(&node).await;
        log.pass(&node, 2 * DAY).await;
        log.write(1).await;
        log.keep_up(&node).await;
        log.plan(removes, fault);
        assert!(node.retain_audit(1, &[]).await.is_err());
        assert_eq!(log.announced().await.len(), 1);
        let first = log.sequences().await[0];
        assert_eq!(801 - first, left);
        // Wherever it stopped, the stream begins where it may.
        let begins: Vec<_> = log.announced().await.iter().map(|state| state.sequence + 1).collect();
        assert!(first == 1 || begins.contains(&first));
        log.mend();
        // Another node, after a restart: the lease was given back, or it runs out.
        log.advance(121);
        assert_eq!(log.node().retain_audit(1, &[]).await.expect("retains"), removed(left));
        assert_eq!(log.sequences().await[0], 801);
    }
}

#[tokio::test]
async fn of_two_nodes_one_removes() {
    let log = Log::new().await;
    let nodes = [log.node(), log.node()];
    log.write(600).await;
    log.advance(2 * DAY);
    log.keep_up(&nodes[0]).await;
    let (one, other) = tokio::join!(nodes[0].retain_audit(1, &[]), nodes[1].retain_audit(1, &[]));
    assert_eq!(one.expect("retains").removed + other.expect("retains").removed, 600);
    assert_eq!(told(&log).await.iter().sum::<u64>(), 600);

    log.write(5).await;
    log.pass(&nodes[0], 2 * DAY).await;
    log.keep_up(&nodes[0]).await;
    let ttl = LeaseTtl::MAX;
    let lease = log.store.acquire(LeaseName::Housekeeping, Uuid::from_u128(77), ttl).await.expect("leases");
    assert_eq!(nodes[0].retain_audit(1, &[]).await.expect("rests"), removed(0));
    log.store.release(&lease.expect("free")).await.expect("releases");
    assert!(nodes[0].retain_audit(1, &[]).await.expect("retains").removed > 0);
}

#[tokio::test]
async fn without_checkpoints_nothing_goes() {
    let mut log = Log::new().await;
    log.write(5).await;
    log.keep_up(&log.node()).await;
    log.advance(10 * DAY);
    log.ports.audit_keys = None;
    assert_eq!(log.node().retain_audit(1, &[]).await.expect("rests"), removed(0));
    assert_eq!(log.sequences().await.len(), 5);
}
