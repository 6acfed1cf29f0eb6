//! The audit log as an outbox: sinks that die, hang and take things twice, nodes that come and go, and retention beside them.

mod forward;
mod publish;
mod retain;
mod turns;

use crate::iam::support::House;
use crate::support::START;
use async_trait::async_trait;
use core::time::Duration;
use std::sync::{Arc, Mutex};
use strongroom::audit::{ForwardError, Forwarded, SinkTurns};
use strongroom::domain::audit::{
    Action, AuditRecord, ChainState, ChainedRecord, LogReader, Signature, SignedCheckpoint, SinkName,
};
use strongroom::domain::id::StreamId;
use strongroom::domain::port::{
    AuditKeys, AuditLog, AuditReader, AuditSigner, AuditSink, Clock, CommitError, CommitErrorKind, Committer,
    RootKeyError, SignatureVerifier, SinkError,
};
use strongroom::domain::root_key::{InstanceKeyPurpose, SealedInstanceKey};
use strongroom::domain::unit::{Change, Unit};
use strongroom::{AuditKeyPorts, Engine, Limits, Ports};
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::{FixedSigner, ManualClock, build};
use uuid::Uuid;

/// Signs and verifies without a key, as the store's writer does here.
pub(crate) struct FixedKeys;

impl AuditSigner for FixedKeys {
    fn sign(&self, bytes: &[u8]) -> Signature {
        FixedSigner.sign(bytes)
    }
}

impl AuditKeys for FixedKeys {
    fn current(&self) -> u32 {
        1
    }

    fn adopt(&self, _: &[SealedInstanceKey], _: u32) -> Result<(), RootKeyError> {
        Ok(())
    }

    fn generate(&self, version: u32) -> Result<SealedInstanceKey, RootKeyError> {
        Ok(build::instance_key(InstanceKeyPurpose::AuditSigning, version))
    }

    fn public_of(&self, key: &SealedInstanceKey) -> Result<[u8; 32], RootKeyError> {
        key.public.ok_or(RootKeyError::NotAuthentic)
    }
}

impl SignatureVerifier for FixedKeys {
    fn verify(&self, _: &[u8; 32], bytes: &[u8], signature: &[u8; 64]) -> bool {
        FixedSigner::verify(bytes, &Signature { key_version: 1, bytes: *signature })
    }
}

/// What goes wrong with units that change some things.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// They are not applied.
    Refused,
    /// They are applied, and nobody hears of it.
    Unknown,
}

/// Which changes meet it.
type Planned = (fn(&Change) -> bool, Fault);

struct Faults {
    store: Arc<MemoryStore>,
    planned: Mutex<Option<Planned>>,
}

#[async_trait]
impl Committer for Faults {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        let planned = *self.planned.lock().expect("unpoisoned");
        match planned.filter(|(meets, _)| unit.changes.iter().any(meets)) {
            None => self.store.commit(unit).await,
            Some((_, Fault::Refused)) => Err(CommitError::new(CommitErrorKind::Unavailable, "planned")),
            Some((_, Fault::Unknown)) => {
                self.store.commit(unit).await?;
                Err(CommitError::new(CommitErrorKind::OutcomeUnknown, "planned"))
            }
        }
    }
}

/// A log with keys, and nodes over it.
struct Log {
    ports: Ports,
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    faults: Arc<Faults>,
}

const STREAM: StreamId = StreamId::new(Uuid::nil());

impl Log {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::jumping(START));
        let store = MemoryStore::new(Arc::new(FixedSigner), STREAM).with_clock(clock.clone());
        let store = Arc::new(store);
        let faults = Arc::new(Faults { store: store.clone(), planned: Mutex::default() });
        let mut found = None;
        House::with(|ports| {
            ports.committer = faults.clone();
            ports.audit_log = store.clone();
            ports.audit = store.clone();
            ports.leases = store.clone();
            ports.setup = store.clone();
            ports.clock = clock.clone();
            ports.audit_keys = Some(AuditKeyPorts { keys: Arc::new(FixedKeys), verifier: Arc::new(FixedKeys) });
            found = Some(ports.clone());
        })
        .await;
        let key = Change::InsertInstanceKey(build::instance_key(InstanceKeyPurpose::AuditSigning, 1));
        store.commit(Unit { changes: vec![key], ..Unit::default() }).await.expect("stored");
        Self { ports: found.expect("set"), store, clock, faults }
    }

    fn node(&self) -> Engine {
        Engine::new(self.ports.clone(), Limits::default())
    }

    fn plan(&self, meets: fn(&Change) -> bool, fault: Fault) {
        *self.faults.planned.lock().expect("unpoisoned") = Some((meets, fault));
    }

    fn mend(&self) {
        *self.faults.planned.lock().expect("unpoisoned") = None;
    }

    /// Adds so many records, of now.
    async fn write(&self, count: usize) {
        for _ in 0..count {
            let record = AuditRecord { at: self.clock.now(), ..build::record(Action::SecretValueRead) };
            self.store.enqueue(record).await.expect("queues");
        }
    }

    async fn records(&self) -> Vec<ChainedRecord> {
        self.store.records(STREAM, 0, 100_000).await.expect("readable")
    }

    async fn sequences(&self) -> Vec<u64> {
        self.records().await.iter().map(|it| it.sequence).collect()
    }

    async fn through(&self, reader: &LogReader) -> u64 {
        let behind = self.store.behind(reader, None, 1).await.expect("readable");
        match behind.first() {
            Some(behind) => behind.through,
            None => self.records().await.last().map_or(0, |last| last.sequence),
        }
    }

    async fn checkpoints(&self) -> Vec<SignedCheckpoint> {
        let stored = self.store.checkpoints(0, 100_000).await.expect("readable");
        stored.iter().map(|stored| stored.read().expect("sound")).collect()
    }

    /// Where checkpoints announced that the stream begins.
    async fn announced(&self) -> Vec<ChainState> {
        self.checkpoints().await.into_iter().flat_map(|it| it.checkpoint.begins).collect()
    }

    /// Everything is indexed, and a checkpoint tells of it.
    async fn keep_up(&self, node: &Engine) {
        while node.index_audit(200).await.expect("indexes").more {}
        node.checkpoint_audit().await.expect("writes");
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// So long this node runs, and nothing else happens.
    async fn pass(&self, node: &Engine, seconds: u64) {
        const AN_HOUR: u64 = 60 * 60;
        for _ in 0..seconds / AN_HOUR {
            self.advance(AN_HOUR);
            node.checkpoint_audit().await.expect("writes");
        }
        self.advance(seconds % AN_HOUR);
    }
}

fn name(name: &str) -> SinkName {
    SinkName::new(name).expect("a name")
}

/// What a sink does with what it is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Takes,
    Refuses,
    /// Takes it, and dies before it says so.
    TakesAndDies,
    /// Never ends.
    Hangs,
    /// Takes no more than this at once.
    TakesFew(usize),
    /// Takes one delivery, and refuses those after it.
    TakesOne,
}

struct Sink {
    name: SinkName,
    mood: Mutex<Mood>,
    taken: Mutex<Vec<Vec<u64>>>,
}

impl Sink {
    fn new(called: &str) -> Self {
        Self { name: name(called), mood: Mutex::new(Mood::Takes), taken: Mutex::default() }
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().expect("unpoisoned") = mood;
    }

    fn reader(&self) -> LogReader {
        LogReader::Sink(self.name.clone())
    }

    /// Each delivery's sequences.
    fn deliveries(&self) -> Vec<Vec<u64>> {
        self.taken.lock().expect("unpoisoned").clone()
    }

    fn taken(&self) -> Vec<u64> {
        self.deliveries().concat()
    }
}

#[async_trait]
impl AuditSink for Sink {
    fn name(&self) -> &SinkName {
        &self.name
    }

    async fn deliver(&self, records: &[ChainedRecord]) -> Result<(), SinkError> {
        let mood = *self.mood.lock().expect("unpoisoned");
        let takes = match mood {
            Mood::Takes | Mood::TakesAndDies => true,
            Mood::Refuses => false,
            Mood::TakesFew(most) => records.len() <= most,
            Mood::TakesOne => {
                self.is(Mood::Refuses);
                true
            }
            Mood::Hangs => core::future::pending().await,
        };
        if takes {
            let sequences = records.iter().map(|it| it.sequence).collect();
            self.taken.lock().expect("unpoisoned").push(sequences);
        }
        if takes && mood != Mood::TakesAndDies { Ok(()) } else { Err(SinkError::new("planned")) }
    }
}

/// What a round says it did.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    records: u64,
    unreadable: u64,
    foreign: u64,
    more: bool,
    refused: bool,
}

async fn round(node: &Engine, sink: &dyn AuditSink, turns: &mut SinkTurns) -> Result<Told, ForwardError> {
    let Forwarded { records, unreadable, foreign, more, refused } = node.forward_audit(sink, turns).await?;
    Ok(Told { records, unreadable, foreign, more, refused: refused.is_some() })
}
