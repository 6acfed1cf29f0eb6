//! Sinks and several streams: none waits because of what is refused of another one.

use super::{FixedKeys, Log, Told, name, round};
use async_trait::async_trait;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use strongroom::Engine;
use strongroom::audit::{ForwardError, SinkTurns};
use strongroom::domain::audit::{Action, Behind, ChainedRecord, Link, LogReader, SinkName};
use strongroom::domain::id::StreamId;
use strongroom::domain::port::{AuditLog, AuditReader, AuditSink, CommitError, Committer, ReadError, SinkError};
use strongroom::domain::unit::{Change, Unit};
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::{AlterLog, AlteredLog, build};
use uuid::Uuid;

/// A log of several streams. A store in memory has one, so each has a store; the first has the leases, too.
struct Streams(Vec<(StreamId, Arc<MemoryStore>)>);

impl Streams {
    fn store(&self, stream: StreamId) -> &MemoryStore {
        &self.0.iter().find(|(id, _)| *id == stream).expect("a stream of this log").1
    }
}

#[async_trait]
impl AlterLog for Streams {
    fn log(&self) -> &dyn AuditReader {
        &*self.0[0].1
    }

    async fn behind(&self, reader: &LogReader, after: Option<StreamId>, limit: u32) -> Result<Vec<Behind>, ReadError> {
        let begin = after.map_or(0, |after| self.0.iter().take_while(|(id, _)| *id != after).count() + 1);
        let mut found = Vec::new();
        for (_, store) in self.0.iter().skip(begin) {
            found.extend(store.behind(reader, None, 1).await?);
        }
        found.truncate(limit as usize);
        Ok(found)
    }

    async fn records(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<ChainedRecord>, ReadError> {
        self.store(stream).records(stream, after, limit).await
    }

    async fn links(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<Link>, ReadError> {
        self.store(stream).links(stream, after, limit).await
    }
}

#[async_trait]
impl Committer for Streams {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        let [Change::AdvanceReader { stream, .. }] = unit.changes[..] else { panic!("only positions are noted here") };
        self.0[0].1.commit(Unit { changes: Vec::new(), ..unit.clone() }).await?;
        self.store(stream).commit(Unit { expect: Vec::new(), ..unit }).await
    }
}

struct Site {
    streams: Arc<Streams>,
    node: Engine,
}

impl Site {
    /// So many streams.
    async fn of(count: usize) -> Self {
        let mut log = Log::new().await;
        let first = log.store.clone();
        let other = |n| Arc::new(MemoryStore::new(Arc::new(FixedKeys), id(n)));
        let stores = core::iter::once(first).chain((1..count).map(other));
        let streams = Arc::new(Streams((0..count).map(id).zip(stores).collect()));
        log.ports.audit = Arc::new(AlteredLog(streams.clone()));
        log.ports.committer = streams.clone();
        Self { node: log.node(), streams }
    }

    /// Adds so many records to a stream.
    async fn write(&self, stream: usize, count: u64) {
        for _ in 0..count {
            let record = build::record(Action::SecretValueRead);
            self.streams.0[stream].1.enqueue(record).await.expect("queues");
        }
    }

    /// Up to where the sink is noted to have each stream that it has not had all of.
    async fn positions(&self, sink: &Picky) -> Vec<(usize, u64)> {
        let behind = self.streams.behind(&LogReader::Sink(sink.name.clone()), None, 100).await.expect("readable");
        let number = |behind: &Behind| behind.stream.uuid().as_u128() as usize;
        behind.iter().map(|behind| (number(behind), behind.through)).collect()
    }

    /// Rounds until nothing is left; how many it took.
    async fn drain(&self, sink: &Picky, turns: &mut SinkTurns) -> usize {
        for done in 0..200 {
            if self.positions(sink).await.is_empty() {
                return done;
            }
            gentle(round(&self.node, sink, turns).await);
        }
        panic!("still behind: {:?}", self.positions(sink).await);
    }
}

const fn id(number: usize) -> StreamId {
    StreamId::new(Uuid::from_u128(number as u128))
}

/// A round in which the sink refused something, or nothing.
fn gentle(round: Result<Told, ForwardError>) -> Told {
    match round {
        Ok(told) => told,
        Err(ForwardError::Sink(_)) => Told::default(),
        Err(error) => panic!("{error}"),
    }
}

/// What it was given: the stream, the sequences, and whether it took them.
type Offer = (usize, Vec<u64>, bool);
type Taste = Box<dyn Fn(usize, &[u64]) -> bool + Send + Sync>;

struct Picky {
    name: SinkName,
    takes: Mutex<Taste>,
    offers: Mutex<Vec<Offer>>,
}

impl Picky {
    fn new(called: &str, takes: impl Fn(usize, &[u64]) -> bool + Send + Sync + 'static) -> Self {
        Self { name: name(called), takes: Mutex::new(Box::new(takes)), offers: Mutex::default() }
    }

    fn takes(&self, takes: impl Fn(usize, &[u64]) -> bool + Send + Sync + 'static) {
        *self.takes.lock().expect("unpoisoned") = Box::new(takes);
    }

    /// The offers since this was asked last.
    fn offers(&self) -> Vec<Offer> {
        core::mem::take(&mut self.offers.lock().expect("unpoisoned"))
    }
}

#[async_trait]
impl AuditSink for Picky {
    fn name(&self) -> &SinkName {
        &self.name
    }

    async fn deliver(&self, records: &[ChainedRecord]) -> Result<(), SinkError> {
        let stream = records[0].stream;
        assert!(records.iter().all(|record| record.stream == stream), "one stream at a time");
        let sequences: Vec<u64> = records.iter().map(|record| record.sequence).collect();
        let number = stream.uuid().as_u128() as usize;
        let taken = self.takes.lock().expect("unpoisoned")(number, &sequences);
        self.offers.lock().expect("unpoisoned").push((number, sequences, taken));
        if taken { Ok(()) } else { Err(SinkError::new("planned")) }
    }
}

fn taken(offers: &[Offer], stream: usize) -> Vec<u64> {
    let taken = offers.iter().filter(|(of, _, taken)| *of == stream && *taken);
    taken.flat_map(|(_, sequences, _)| sequences.clone()).collect()
}

/// Which stream each offer was of, and how many records it had.
fn sizes(offers: &[Offer]) -> Vec<(usize, usize, bool)> {
    offers.iter().map(|(stream, sequences, taken)| (*stream, sequences.len(), *taken)).collect()
}

fn refusals(offers: &[Offer]) -> usize {
    offers.iter().filter(|(_, _, taken)| !taken).count()
}

#[tokio::test]
async fn how_far_a_sink_is_with_one_stream_says_nothing_of_another_one() {
    let site = Site::of(3).await;
    let (slow, quick) = (Picky::new("slow", |stream, _| stream != 1), Picky::new("quick", |_, _| true));
    let (mut turns, mut others) = (SinkTurns::of_at_most(2), SinkTurns::of_at_most(2));
    for (stream, count) in [(0, 3), (1, 5), (2, 7)] {
        site.write(stream, count).await;
    }
    assert_eq!(site.positions(&slow).await, [(0, 0), (1, 0), (2, 0)]);
    assert_eq!(gentle(round(&site.node, &slow, &mut turns).await).records, 3);
    assert_eq!(site.positions(&slow).await, [(1, 0), (2, 0)]);
    assert_eq!(gentle(round(&site.node, &slow, &mut turns).await).records, 7);
    assert_eq!(site.positions(&slow).await, [(1, 0)]);
    assert_eq!(gentle(round(&site.node, &quick, &mut others).await), Told { records: 15, ..Told::default() });
    assert_eq!((site.positions(&quick).await, site.positions(&slow).await), (vec![], vec![(1, 0)]));
    slow.takes(|_, _| true);
    site.drain(&slow, &mut turns).await;
    for sink in [slow.offers(), quick.offers()] {
        for (stream, end) in [(0, 3), (1, 5), (2, 7)] {
            assert_eq!(taken(&sink, stream), (1..=end).collect::<Vec<_>>());
        }
    }
}

/// As of a firewall that holds one record for an attack.
#[tokio::test]
async fn a_record_that_is_refused_for_ever_holds_up_its_own_stream_only() {
    for refused in [vec![0], vec![1], vec![2], vec![0, 1], vec![1, 2], vec![0, 2]] {
        let site = Site::of(3).await;
        let poisoned = refused.clone();
        let sink = Picky::new("a", move |stream, records| !(poisoned.contains(&stream) && records.contains(&7)));
        let (mut turns, mut offers) = (SinkTurns::of_at_most(4), Vec::new());
        let mut written = 0;
        for number in 0..30 {
            if number % 3 == 0 {
                for stream in 0..3 {
                    site.write(stream, 3).await;
                }
                written += 3;
            }
            gentle(round(&site.node, &sink, &mut turns).await);
            let new = sink.offers();
            assert!(refusals(&new) <= 1, "{refused:?}: each may take as long as the sink has patience: {new:?}");
            offers.extend(new);
        }
        for stream in 0..3 {
            let end = if refused.contains(&stream) { 6 } else { written };
            assert_eq!(taken(&offers, stream), (1..=end).collect::<Vec<_>>(), "{refused:?}: stream {stream}");
        }
        let held: Vec<_> = refused.iter().map(|stream| (*stream, 6)).collect();
        assert_eq!(site.positions(&sink).await, held);
        sink.takes(|_, _| true);
        site.drain(&sink, &mut turns).await;
        offers.extend(sink.offers());
        for stream in 0..3 {
            assert_eq!(taken(&offers, stream), (1..=written).collect::<Vec<_>>(), "{refused:?}: stream {stream}");
        }
    }
}

/// The batch of one stream must shrink though another one has something new in each round, and is taken.
#[tokio::test]
async fn a_sink_that_takes_few_at_once_gets_all_of_every_stream() {
    for most in [1, 3, 60] {
        let site = Site::of(3).await;
        let sink = Picky::new("a", move |_, records| records.len() <= most);
        let mut turns = SinkTurns::default();
        let backlog = 20 * most as u64;
        for stream in [1, 2] {
            site.write(stream, backlog).await;
        }
        for _ in 0..100 {
            site.write(0, 1).await;
            gentle(round(&site.node, &sink, &mut turns).await);
        }
        assert_eq!(site.positions(&sink).await, [], "at most {most}");
        let offers = sink.offers();
        for (stream, end) in [(0, 100), (1, backlog), (2, backlog)] {
            assert_eq!(taken(&offers, stream), (1..=end).collect::<Vec<_>>(), "at most {most}: stream {stream}");
        }
    }
}

#[tokio::test]
async fn batches_shrink_by_what_is_refused_and_grow_by_what_is_taken() {
    let site = Site::of(2).await;
    let sink = Picky::new("a", |stream, records| stream == 1 || records.len() <= 9);
    let mut turns = SinkTurns::of_at_most(64);
    site.write(0, 1_000).await;
    let mut steps = async |rounds: usize| {
        for _ in 0..rounds {
            gentle(round(&site.node, &sink, &mut turns).await);
        }
        sizes(&sink.offers())
    };
    let four = |size| vec![(0, size, true); 4];
    let refused = |size| vec![(0, size, false)];
    assert_eq!(steps(4).await, [refused(64), refused(64), refused(32), refused(16)].concat());
    assert_eq!(steps(1).await, [four(8), refused(16)].concat());
    assert_eq!(steps(2).await, [refused(16), four(8), refused(16)].concat());
    // Another stream begins with as few, but what is taken of it doesn't count for this one.
    site.write(1, 64).await;
    assert_eq!(steps(2).await, [vec![(1, 16, true); 4], refused(16), four(8), refused(16)].concat());
    // 96 are gone; it grows up to the most there may be.
    sink.takes(|_, _| true);
    let last = 1_000 - 96 - 4 * (16 + 32);
    let rest = [vec![(0, 64, true); last / 64], vec![(0, last % 64, true)]].concat();
    assert_eq!(steps(3).await, [four(16), four(32), rest].concat());
    // Half of what was refused, though it was less than may be.
    sink.takes(|_, records| records.len() <= 1);
    site.write(0, 5).await;
    assert_eq!(steps(4).await, [refused(5), refused(5), refused(2), vec![(0, 1, true); 5]].concat());
    // It has caught up, and nothing is left of that.
    sink.takes(|_, _| true);
    site.write(0, 20).await;
    assert_eq!(steps(1).await, [(0, 20, true)]);
}

/// However many are held up, one that is not has its turn in every round.
#[tokio::test]
async fn a_stream_that_is_taken_waits_for_none_of_many_that_are_refused() {
    let site = Site::of(6).await;
    let sink = Picky::new("a", |stream, _| stream == 3);
    let mut turns = SinkTurns::default();
    for stream in 0..6 {
        site.write(stream, 3).await;
    }
    for _ in 0..12 {
        gentle(round(&site.node, &sink, &mut turns).await);
    }
    let mut asked = std::collections::BTreeSet::new();
    for _ in 0..5 {
        site.write(3, 2).await;
        assert_eq!(gentle(round(&site.node, &sink, &mut turns).await).records, 2);
        asked.extend(sink.offers().iter().filter(|(_, _, taken)| !taken).map(|(stream, _, _)| *stream));
    }
    assert!(asked.len() >= 5, "each of the others is asked again: {asked:?}");
}

/// A sink that is too slow for as many of any stream isn't tried with as many of each.
#[tokio::test]
async fn what_is_too_much_of_several_streams_is_too_much_of_the_next() {
    let site = Site::of(4).await;
    let sink = Picky::new("a", |_, records| records.len() <= 8);
    let mut turns = SinkTurns::of_at_most(64);
    for stream in 0..4 {
        site.write(stream, 100).await;
    }
    for _ in 0..5 {
        gentle(round(&site.node, &sink, &mut turns).await);
    }
    let offers = sink.offers();
    assert_eq!(sizes(&offers)[..4], [(0, 64, false), (1, 64, false), (2, 32, false), (3, 16, false)]);
    assert!(offers[4..].iter().any(|(_, _, taken)| *taken), "{:?}", sizes(&offers));
}

/// It fails for reasons of its own, not because it is given too many.
#[tokio::test]
async fn a_sink_that_fails_now_and_then_is_given_no_fewer_records() {
    for period in [2, 3, 5] {
        let site = Site::of(3).await;
        let asked = AtomicUsize::new(0);
        let sink = Picky::new("a", move |_, _| !asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(period));
        let mut turns = SinkTurns::of_at_most(64);
        for stream in 0..3 {
            site.write(stream, 64 * 20).await;
        }
        site.drain(&sink, &mut turns).await;
        let offers = sink.offers();
        let taken = offers.iter().filter(|(_, _, taken)| *taken).count();
        assert!(taken <= 3 * 20 * 2, "one in {period} refused: {:?}", sizes(&offers));
    }
}

/// Each delivery may take as long as the sink has patience, so there is one in a round, of each stream in turn.
#[tokio::test]
async fn a_dead_sink_is_asked_once_in_a_round() {
    let site = Site::of(3).await;
    let sink = Picky::new("a", |_, _| false);
    let mut turns = SinkTurns::default();
    for stream in 0..3 {
        site.write(stream, 4).await;
    }
    for stream in [0, 1, 2, 0, 1, 2] {
        assert!(matches!(round(&site.node, &sink, &mut turns).await, Err(ForwardError::Sink(_))));
        let offers = sink.offers();
        assert_eq!(offers.iter().map(|offer| offer.0).collect::<Vec<_>>(), [stream]);
    }
    // One that others wait behind comes last, and those that have nothing are passed over.
    sink.takes(|stream, _| stream != 2);
    let told = round(&site.node, &sink, &mut turns).await.expect("some were taken");
    assert_eq!(told, Told { records: 8, more: true, refused: true, ..Told::default() });
    assert_eq!(sink.offers().last().map(|offer| offer.0), Some(2));
    assert!(round(&site.node, &sink, &mut turns).await.is_err());
    site.write(0, 1).await;
    sink.takes(|_, _| true);
    assert_eq!(gentle(round(&site.node, &sink, &mut turns).await).records, 5);
    assert_eq!(sink.offers().iter().map(|offer| offer.0).collect::<Vec<_>>()[..2], [2, 0]);
}
