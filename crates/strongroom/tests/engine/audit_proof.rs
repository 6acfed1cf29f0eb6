//! The proof of the audit log: checkpoints, the keys that sign it and their rotation, verification, and what the operator is told of it.

mod checkpoint;
mod export;
mod history;
mod meanwhile;
mod rewritten;
mod rotate;
mod seen;
mod sound;
mod status;
mod streams;
mod verify;
mod verify_index;

use crate::iam::support::House;
use crate::support::{START, bytes};
use async_trait::async_trait;
use core::time::Duration;
use seen::{Seen, Tampering};
use std::sync::{Arc, Mutex, RwLock};
use strongroom::audit::{VerifyCursor, VerifyLimit};
use strongroom::domain::audit::{Action, AuditRecord, Finding, RequestInfo, Signature, SignedCheckpoint};
use strongroom::domain::id::{CredentialId, RequestId, StreamId};
use strongroom::domain::port::{
    AuditReader, AuditSigner, AuthenticateError, Authenticated, Authenticator, Clock, CommitError, CommitErrorKind,
    Committer, Credential, Entropy, RootKey, SetupReader, StoredCheckpoint,
};
use strongroom::domain::principal::{Caller, CredentialScopes, Principal, Reach, Token};
use strongroom::domain::root_key::InstanceKeyPurpose;
use strongroom::domain::time::Timestamp;
use strongroom::domain::unit::{Change, Unit};
use strongroom::system::OperatorSession;
use strongroom::{AuditKeyPorts, Engine, Limits, Needs, Ports, Target};
use strongroom_crypto::{Ed25519Verifier, OsEntropy};
use strongroom_root_key::{AuditKeyRing, InstanceKeys, SoftwareRootKey};
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::{AlteredLog, ManualClock, build};
use uuid::Uuid;

const STREAM: StreamId = StreamId::new(Uuid::nil());
const DAY: u64 = 24 * 60 * 60;

/// Everybody is the operator.
struct Door;

#[async_trait]
impl Authenticator for Door {
    async fn authenticate(&self, _: &Credential, _: Timestamp) -> Result<Authenticated, AuthenticateError> {
        let id = CredentialId::new(Uuid::from_u128(5));
        let caller = Caller::new(Principal::Operator(id), id, CredentialScopes::ALL, Reach::Given(Vec::new()));
        Ok(Authenticated::Caller(Arc::new(caller)))
    }

    fn forget(&self, _: &Token) {}
}

/// Signs what the store appends with the keys of one of the nodes, which so is the one that writes the stream.
struct Pen(RwLock<Arc<AuditKeyRing>>);

impl AuditSigner for Pen {
    fn sign(&self, bytes: &[u8]) -> Signature {
        self.0.read().expect("unpoisoned").sign(bytes)
    }
}

/// What goes wrong with units that write a checkpoint.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// They are not applied.
    Refused,
    /// They are not applied, and nobody hears of it.
    Lost,
    /// They are applied, and nobody hears of it.
    Unheard,
}

/// Lets others go first, as a real store does.
struct Faults {
    store: Arc<MemoryStore>,
    planned: Mutex<Option<Fault>>,
}

#[async_trait]
impl Committer for Faults {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        tokio::task::yield_now().await;
        let is_met = unit.changes.iter().any(|change| matches!(change, Change::AddCheckpoint(_)));
        let planned = *self.planned.lock().expect("unpoisoned");
        match planned.filter(|_| is_met) {
            None => self.store.commit(unit).await,
            Some(Fault::Refused) => Err(CommitError::new(CommitErrorKind::Unavailable, "planned")),
            Some(Fault::Lost) => Err(CommitError::new(CommitErrorKind::OutcomeUnknown, "planned")),
            Some(Fault::Unheard) => {
                self.store.commit(unit).await?;
                Err(CommitError::new(CommitErrorKind::OutcomeUnknown, "planned"))
            }
        }
    }
}

/// A log, and nodes over it.
struct Log {
    ports: Ports,
    store: Arc<MemoryStore>,
    seen: Arc<Seen>,
    clock: Arc<ManualClock>,
    faults: Arc<Faults>,
    pen: Arc<Pen>,
    root: Arc<dyn RootKey>,
}

struct Node {
    clock: Arc<ManualClock>,
    engine: Engine,
    keys: Arc<AuditKeyRing>,
    session: OperatorSession,
}

fn entropy() -> Arc<dyn Entropy> {
    Arc::new(OsEntropy)
}

impl Log {
    async fn new() -> Self {
        let root: Arc<dyn RootKey> = Arc::new(SoftwareRootKey::generate(entropy()).expect("there is randomness"));
        let (keys, mut made) = InstanceKeys::generate(&*root, &OsEntropy).expect("there is randomness");
        made.retain(|key| key.purpose == InstanceKeyPurpose::AuditSigning);
        let ring = Arc::new(keys.audit_keys(root.clone(), entropy(), None).expect("just made"));
        let pen = Arc::new(Pen(RwLock::new(ring)));
        let clock = Arc::new(ManualClock::jumping(START));
        let store = Arc::new(MemoryStore::new(pen.clone(), STREAM).with_clock(clock.clone()));
        let changes = made.into_iter().map(Change::InsertInstanceKey).collect();
        store.commit(Unit { changes, ..Unit::default() }).await.expect("stored");
        let seen = Arc::new(Seen::new(store.clone()));
        let faults = Arc::new(Faults { store: store.clone(), planned: Mutex::default() });
        let mut ports = None;
        House::with(|it| {
            it.authenticator = Arc::new(Door);
            it.committer = faults.clone();
            it.audit_log = store.clone();
            it.audit = Arc::new(AlteredLog(seen.clone()));
            it.leases = store.clone();
            it.setup = store.clone();
            it.clock = clock.clone();
            ports = Some(it.clone());
        })
        .await;
        Self { ports: ports.expect("set"), store, seen, clock, faults, pen, root }
    }

    /// A node that starts now.
    async fn node(&self) -> Node {
        let stored = self.store.instance_keys().await.expect("readable");
        let known = self.checkpoints().await.last().map(|last| last.checkpoint.newest_key);
        let keys = AuditKeyRing::open(self.root.clone(), entropy(), &stored, known).expect("opens");
        let keys = Arc::new(keys);
        let audit_keys = Some(AuditKeyPorts { keys: keys.clone(), verifier: Arc::new(Ed25519Verifier) });
        let engine = Engine::new(Ports { audit_keys, ..self.ports.clone() }, Limits::default());
        let session = operator(&engine, &self.ports).await;
        Node { clock: self.clock.clone(), engine, keys, session }
    }

    /// From now on this one writes the stream.
    fn written_by(&self, node: &Node) {
        *self.pen.0.write().expect("unpoisoned") = node.keys.clone();
    }

    fn plan(&self, fault: Fault) {
        *self.faults.planned.lock().expect("unpoisoned") = Some(fault);
    }

    fn mend(&self) {
        *self.faults.planned.lock().expect("unpoisoned") = None;
        self.seen.mend();
    }

    fn tamper(&self, with: impl IntoIterator<Item = Tampering>) {
        self.seen.tamper(with);
    }

    /// One commit with so many records, of now.
    async fn write(&self, count: usize) {
        let record = |_| AuditRecord {
            event: strongroom::domain::id::EventId::new(self.ports.ids.next()),
            at: self.clock.now(),
            ..build::record(Action::SecretValueRead)
        };
        let records = (0..count).map(record).collect();
        self.store.commit(Unit { records, ..Unit::default() }).await.expect("appends");
    }

    /// The last record's sequence and hash.
    async fn end(&self) -> (u64, [u8; 32]) {
        let records = self.store.records(STREAM, 0, 100_000).await.expect("readable");
        records.last().map(|last| (last.sequence, last.hash)).expect("written")
    }

    async fn stored_checkpoints(&self) -> Vec<StoredCheckpoint> {
        self.store.checkpoints(0, 100_000).await.expect("readable")
    }

    /// All of them; each has the number after the one before, follows from it, and is no older.
    async fn checkpoints(&self) -> Vec<SignedCheckpoint> {
        let stored = self.stored_checkpoints().await;
        let all: Vec<_> = stored.iter().map(|stored| stored.read().expect("sound")).collect();
        for (at, it) in all.iter().enumerate() {
            assert_eq!(it.checkpoint.number, at as u64 + 1);
        }
        for pair in all.windows(2) {
            let [one, next] = [&pair[0].checkpoint, &pair[1].checkpoint];
            assert_eq!((next.previous, next.at.max(one.at)), (one.hash(), next.at));
        }
        all
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// So long this node runs, and nothing else happens.
    async fn pass(&self, node: &Node, seconds: u64) {
        for _ in 0..seconds / (DAY / 6) {
            self.advance(DAY / 6);
            node.checkpoint().await;
        }
        self.advance(seconds % (DAY / 6));
    }
}

async fn operator(engine: &Engine, ports: &Ports) -> OperatorSession {
    let request = Arc::new(RequestInfo::embedded(RequestId::new(ports.ids.next())));
    let call = engine.authenticate(Some(&Credential::Token(bytes(b"operator"))), request).await.expect("known");
    let target = Target { action: Action::SystemAuditRead, resource: None };
    engine.enter_operator(call, Needs::Write, target).await.expect("the operator")
}

impl Node {
    async fn checkpoint(&self) -> Option<SignedCheckpoint> {
        self.engine.checkpoint_audit().await.expect("no fault")
    }

    async fn index(&self) {
        while self.engine.index_audit(7).await.expect("indexes").more {}
    }

    /// Everything, in steps of this size.
    async fn verify(&self, anchor: Option<&StoredCheckpoint>, limit: u32) -> Vec<Finding> {
        verify_on(&[self], anchor, limit).await
    }
}

/// Everything, each step on the next of these nodes; the cursor goes through its bytes.
async fn verify_on(nodes: &[&Node], anchor: Option<&StoredCheckpoint>, limit: u32) -> Vec<Finding> {
    let (mut findings, mut cursor) = (Vec::new(), None);
    // What was kept of a verification that another node ended is not wanted any more then.
    nodes[0].clock.advance(Duration::from_secs(61));
    for node in nodes.iter().cycle() {
        let step = node.engine.verify_audit(&node.session).run(cursor, anchor.cloned(), steps_of(limit)).await;
        let step = step.expect("verifies");
        findings.extend(step.findings);
        let Some(next) = step.next else { break };
        cursor = Some(VerifyCursor::from_bytes(&next.to_bytes()).expect("a cursor"));
    }
    findings
}

fn steps_of(records: u32) -> VerifyLimit {
    VerifyLimit { records, time: Duration::from_secs(60) }
}
