//! A log with two streams, one of which comes into the list while the log is read.

use super::{Log, Node, STREAM, steps_of};
use async_trait::async_trait;
use std::sync::{Arc, Mutex};
use strongroom::domain::audit::{Action, AuditRecord, Behind, IndexEntry, Link, LogReader};
use strongroom::domain::id::{EventId, StreamId};
use strongroom::domain::port::{AuditReader, Clock, Committer, ReadError};
use strongroom::domain::unit::Unit;
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::{AlterLog, AlteredLog, build};
use uuid::Uuid;

const SECOND: StreamId = StreamId::new(Uuid::from_u128(7));
/// How many the second stream has.
const RECORDS: u64 = 5;

/// Where the second stream stands among the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    InFront,
    Last,
}

/// Each stream in a store of its own, since a store in memory has one only.
struct Grown {
    first: Arc<MemoryStore>,
    second: MemoryStore,
    place: Place,
    /// How many questions for the streams are still answered without the second.
    hidden: Mutex<u32>,
}

impl Grown {
    fn store_of(&self, stream: StreamId) -> &MemoryStore {
        if stream == SECOND { &self.second } else { &self.first }
    }

    fn is_shown(&self) -> bool {
        *self.hidden.lock().expect("unpoisoned") == 0
    }

    fn in_order<T>(&self, first: Vec<T>, second: Vec<T>) -> Vec<T> {
        let (one, other) = match self.place {
            Place::InFront => (second, first),
            Place::Last => (first, second),
        };
        one.into_iter().chain(other).collect()
    }
}

#[async_trait]
impl AlterLog for Grown {
    fn log(&self) -> &dyn AuditReader {
        &*self.first
    }

    async fn streams(&self) -> Result<Vec<StreamId>, ReadError> {
        if self.is_shown() {
            return Ok(self.in_order(vec![STREAM], vec![SECOND]));
        }
        *self.hidden.lock().expect("unpoisoned") -= 1;
        Ok(vec![STREAM])
    }

    async fn links(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<Link>, ReadError> {
        self.store_of(stream).links(stream, after, limit).await
    }

    async fn indexed(&self, stream: StreamId, entries: &[IndexEntry]) -> Result<Vec<bool>, ReadError> {
        self.store_of(stream).indexed(stream, entries).await
    }

    async fn behind(&self, reader: &LogReader, after: Option<StreamId>, limit: u32) -> Result<Vec<Behind>, ReadError> {
        let first = self.first.behind(reader, after, limit).await?;
        if !self.is_shown() {
            return Ok(first);
        }
        // Two are less than anybody asks for at once.
        Ok(self.in_order(first, self.second.behind(reader, after, limit).await?))
    }
}

/// A log whose first stream has a checkpoint and an index; it shows the second after so many questions for the streams.
async fn grown(place: Place, hidden: u32) -> (Log, Node) {
    let mut log = Log::new().await;
    let writer = log.node().await;
    log.written_by(&writer);
    log.write(7).await;
    writer.checkpoint().await.expect("written");
    writer.index().await;
    let second = MemoryStore::new(log.pen.clone(), SECOND).with_clock(log.clock.clone());
    let record = |_| AuditRecord {
        event: EventId::new(log.ports.ids.next()),
        at: log.clock.now(),
        ..build::record(Action::SecretValueRead)
    };
    let records = (0..RECORDS).map(record).collect();
    second.commit(Unit { records, ..Unit::default() }).await.expect("appends");
    let grown = Grown { first: log.store.clone(), second, place, hidden: Mutex::new(hidden) };
    log.ports.audit = Arc::new(AlteredLog(Arc::new(grown)));
    let reader = log.node().await;
    (log, reader)
}

#[tokio::test]
async fn an_export_has_each_stream_once() {
    for (place, hidden) in [(Place::InFront, 0), (Place::InFront, 1), (Place::Last, 0), (Place::Last, 1)] {
        let (log, node) = grown(place, hidden).await;
        let mut whole = node.engine.export_whole_audit(&node.session).await.expect("begins");
        let mut had = Vec::new();
        while let Some(part) = whole.next(&node.engine).await.expect("reads") {
            let (stream, links) = part.records.unwrap_or((STREAM, Vec::new()));
            had.extend(links.iter().map(|link| (stream, link.sequence)));
        }
        let first = (1..=log.end().await.0).map(|sequence| (STREAM, sequence));
        let second = (1..=RECORDS).map(|sequence| (SECOND, sequence));
        let is_first = place == Place::InFront && hidden == 0;
        let all: Vec<_> = if is_first { second.chain(first).collect() } else { first.chain(second).collect() };
        assert_eq!(had, all, "{place:?} after {hidden}");
    }
}

#[tokio::test]
async fn a_verification_reads_no_stream_twice() {
    for (limit, times) in [(500, 0..2), (1, 0..5)] {
        for (place, hidden) in times.flat_map(|hidden| [(Place::InFront, hidden), (Place::Last, hidden)]) {
            let (log, node) = grown(place, hidden).await;
            let before = log.end().await.0;
            let mut cursor = None;
            let records = loop {
                let step = node.engine.verify_audit(&node.session).run(cursor, None, steps_of(limit)).await;
                let step = step.expect("verifies");
                assert!(step.findings.is_empty(), "{:?}", step.findings);
                cursor = step.next;
                if cursor.is_none() {
                    break step.records;
                }
            };
            // The first step leaves a record, which those after it read. What came in front of where it is, it need not read.
            let first = before + u64::from(limit == 1);
            let is_read = place == Place::Last || hidden == 0;
            let second = if is_read { RECORDS } else { 0 };
            assert_eq!(records, first + second, "{place:?} after {hidden}, in steps of {limit}");
        }
    }
}
