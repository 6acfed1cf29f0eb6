//! A node over a real store, with the engine that writes and verifies the log.

use crate::database::Database;
use async_trait::async_trait;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use strongroom::audit::{Retained, VerifyCursor, VerifyLimit, known_audit_key};
use strongroom::system::OperatorSession;
use strongroom::{AuditKeyPorts, Engine, Error, Limits, Needs, Ports, Target};
use strongroom_crypto::{Aes256GcmCipher, Ed25519Verifier, HmacSha256Digest, OsEntropy};
use strongroom_domain::audit::{Action, AuditRecord, Finding, Outcome, RequestInfo, SignedCheckpoint};
use strongroom_domain::id::{CredentialId, EventId, RequestId, StreamId};
use strongroom_domain::port::{
    AccessLog, AnswerReader, AuditKeys, AuditLog, AuditReader, AuthenticateError, Authenticated, Authenticator, Clock,
    Committer, Credential, DirectoryReader, IdGenerator, KeyReader, Leases, RootKey, SecretReader, SetupReader,
    StoredCheckpoint, TenancyReader,
};
use strongroom_domain::principal::{Caller, CredentialScopes, Principal, Reach, Token};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Change, Unit};
use strongroom_domain::value::SecretBytes;
use strongroom_root_key::{AuditKeyRing, InstanceKeys, SoftwareRootKey, key_check};
use strongroom_store_memory::MemoryStore;
use strongroom_store_sql::{OpenOptions, PostgresOptions, PostgresStore, PostgresWriter, SqliteStore, SqliteWriter};
use strongroom_testkit::{MachineClock, SequentialIds, build};
use uuid::Uuid;

/// So that no two nodes give the same identifier.
static NODES: AtomicU64 = AtomicU64::new(1);
const ROOT_KEY: [u8; 32] = [7; 32];
/// In seconds.
const DAY: i64 = 24 * 60 * 60;

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

/// The machine's time, later by so many seconds.
#[derive(Default)]
struct Ahead(AtomicI64);

#[async_trait]
impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        MachineClock.now().plus_seconds(self.0.load(Ordering::Relaxed))
    }

    async fn sleep(&self, duration: Duration) {
        MachineClock.sleep(duration).await;
    }
}

trait Reads: SecretReader + KeyReader + TenancyReader + DirectoryReader + AnswerReader + SetupReader + AuditReader {}

impl<T> Reads for T where
    T: SecretReader + KeyReader + TenancyReader + DirectoryReader + AnswerReader + SetupReader + AuditReader
{
}

enum Writer {
    /// What is recorded goes elsewhere, so that the log stays as it was found.
    None,
    Sqlite(Arc<SqliteWriter>),
    Postgres(Arc<PostgresWriter>),
}

pub(crate) struct Node {
    engine: Engine,
    committer: Arc<dyn Committer>,
    audit: Arc<dyn AuditReader>,
    ids: Arc<SequentialIds>,
    clock: Arc<Ahead>,
    writer: Writer,
    session: OperatorSession,
}

pub(crate) fn root_key() -> Arc<SoftwareRootKey> {
    Arc::new(SoftwareRootKey::from_bytes(&ROOT_KEY, Arc::new(OsEntropy)).expect("a key"))
}

/// As a server does at its start.
async fn ring(reads: &dyn Reads) -> (Arc<AuditKeyRing>, Vec<Change>) {
    try_ring(reads).await.expect("opens")
}

/// `None` where the keys that are stored don't open.
async fn try_ring(reads: &dyn Reads) -> Option<(Arc<AuditKeyRing>, Vec<Change>)> {
    let root = root_key();
    let mut stored = reads.instance_keys().await.expect("readable");
    let mut changes = Vec::new();
    if stored.is_empty() {
        let (_, made) = InstanceKeys::generate(&*root, &OsEntropy).expect("generates");
        changes.push(Change::InsertKeyCheck(key_check(&*root).expect("seals")));
        changes.extend(made.iter().cloned().map(Change::InsertInstanceKey));
        stored = made;
    }
    let keys = InstanceKeys::open(&*root, &stored).ok()?;
    let root: Arc<dyn RootKey> = root;
    let ring = Arc::new(keys.audit_keys(root, Arc::new(OsEntropy), None).ok()?);
    let known = known_audit_key(reads, &*ring, &Ed25519Verifier, keys.audit_signing()).await.expect("readable");
    ring.adopt(keys.audit_signing(), known.newest.unwrap_or_default()).ok()?;
    Some((ring, changes))
}

/// Whether a server finds the keys that it needs in this store.
pub(crate) async fn has_keys(place: &Database) -> bool {
    match (place.file(), place.url()) {
        (Some(file), _) => {
            let store = SqliteStore::open(OpenOptions::new(file)).await.expect("opens");
            try_ring(&store).await.is_some()
        }
        (None, url) => {
            let options = PostgresOptions::parse(url.expect("a URL")).expect("a URL");
            let store = PostgresStore::open(options).await.expect("opens");
            try_ring(&store).await.is_some()
        }
    }
}

impl Node {
    pub(crate) async fn open(place: &Database) -> Self {
        let ids = Arc::new(SequentialIds::of_node(NODES.fetch_add(1, Ordering::Relaxed)));
        match (place.file(), place.url()) {
            (Some(file), _) => {
                let store = Arc::new(SqliteStore::open(OpenOptions::new(file).create()).await.expect("opens"));
                let (keys, first) = ring(&*store).await;
                let writer = Arc::new(store.writer(keys.clone(), ids.clone()).expect("starts"));
                let leases: Arc<dyn Leases> = writer.clone();
                Self::with(store, writer.clone(), leases, (keys, first), ids, Writer::Sqlite(writer)).await
            }
            (None, url) => {
                let mut options = PostgresOptions::parse(url.expect("a URL")).expect("a URL").create();
                options.lanes = 2;
                let store = Arc::new(PostgresStore::open(options).await.expect("opens"));
                let (keys, first) = ring(&*store).await;
                let writer = Arc::new(store.writer(keys.clone(), ids.clone()).await.expect("starts"));
                let leases: Arc<dyn Leases> = store.clone();
                Self::with(store, writer.clone(), leases, (keys, first), ids, Writer::Postgres(writer)).await
            }
        }
    }

    /// Only reads: what was tampered with may keep a writer from starting, and stays as it is.
    pub(crate) async fn reading(place: &Database) -> Self {
        let ids = Arc::new(SequentialIds::of_node(NODES.fetch_add(1, Ordering::Relaxed)));
        match (place.file(), place.url()) {
            (Some(file), _) => {
                let store = Arc::new(SqliteStore::open(OpenOptions::new(file)).await.expect("opens"));
                Self::beside(store, ids).await
            }
            (None, url) => {
                let options = PostgresOptions::parse(url.expect("a URL")).expect("a URL");
                let store = Arc::new(PostgresStore::open(options).await.expect("opens"));
                Self::beside(store, ids).await
            }
        }
    }

    async fn beside<S: Reads + 'static>(store: Arc<S>, ids: Arc<SequentialIds>) -> Self {
        let (keys, _) = ring(&*store).await;
        let other = Arc::new(MemoryStore::new(keys.clone(), StreamId::new(ids.next())));
        let leases: Arc<dyn Leases> = other.clone();
        Self::with(store, other, leases, (keys, Vec::new()), ids, Writer::None).await
    }

    async fn with<S: Reads + 'static, W: Committer + AccessLog + AuditLog + 'static>(
        store: Arc<S>,
        write: Arc<W>,
        leases: Arc<dyn Leases>,
        (keys, first): (Arc<AuditKeyRing>, Vec<Change>),
        ids: Arc<SequentialIds>,
        writer: Writer,
    ) -> Self {
        if !first.is_empty() {
            write.commit(Unit { changes: first, ..Unit::default() }).await.expect("stored");
        }
        let clock = Arc::new(Ahead::default());
        let ports = Ports {
            authenticator: Arc::new(Door),
            secrets: store.clone(),
            keys: store.clone(),
            tenancy: store.clone(),
            directory: store.clone(),
            setup: store.clone(),
            credentials: None,
            answers: store.clone(),
            committer: write.clone(),
            access_log: write.clone(),
            audit_log: write.clone(),
            audit: store.clone(),
            leases,
            kms: HashMap::new(),
            import_keys: None,
            root_keys: None,
            audit_keys: Some(AuditKeyPorts { keys, verifier: Arc::new(Ed25519Verifier) }),
            cipher: Arc::new(Aes256GcmCipher),
            answer_digest: Arc::new(HmacSha256Digest::new(&SecretBytes::copy_of(&[9; 32]), 1)),
            clock: clock.clone(),
            ids: ids.clone(),
            entropy: Arc::new(OsEntropy),
        };
        let engine = Engine::new(ports, Limits::default());
        let request = Arc::new(RequestInfo::embedded(RequestId::new(ids.next())));
        let credential = Credential::Token(SecretBytes::copy_of(b"operator"));
        let call = engine.authenticate(Some(&credential), request).await.expect("known");
        let target = Target { action: Action::SystemAuditRead, resource: None };
        let session = engine.enter_operator(call, Needs::Write, target).await.expect("the operator");
        Self { engine, committer: write, audit: store, ids, clock, writer, session }
    }

    /// Sets the clock days ahead.
    pub(crate) fn advance(&self, days: i64) {
        self.clock.0.fetch_add(days * DAY, Ordering::Relaxed);
    }

    /// Lets days go by, with checkpoints as a server writes them while nothing happens.
    pub(crate) async fn pass(&self, days: i64) {
        for _ in 0..days * 6 {
            self.clock.0.fetch_add(DAY / 6, Ordering::Relaxed);
            self.checkpoint().await;
        }
    }

    /// Removes what is more than so many days old.
    pub(crate) async fn retain(&self, days: u32) -> Result<Retained, Error> {
        self.engine.retain_audit(days, &[]).await
    }

    /// One commit.
    pub(crate) async fn commit(&self, records: usize) {
        let record = |place: usize| AuditRecord {
            event: EventId::new(self.ids.next()),
            at: self.clock.now(),
            outcome: if place.is_multiple_of(2) { Outcome::Success } else { Outcome::Denied },
            status: if place.is_multiple_of(2) { 200 } else { 403 },
            ..build::record(Action::SecretValueRead)
        };
        let records = (0..records).map(record).collect();
        self.committer.commit(Unit { records, ..Unit::default() }).await.expect("durable");
    }

    /// Writes checkpoints as long as there is something to tell; gives the last.
    pub(crate) async fn checkpoint(&self) -> StoredCheckpoint {
        while self.engine.checkpoint_audit().await.expect("writes").is_some() {}
        self.audit.last_checkpoint().await.expect("readable").expect("there")
    }

    /// As [`checkpoint`](Self::checkpoint) on a log that was tampered with: of what is sound.
    pub(crate) async fn checkpoint_what_is_sound(&self) -> Result<(), Error> {
        let mut outcome = Ok(());
        for _ in 0..3 {
            outcome = self.engine.checkpoint_audit().await.map(drop);
        }
        outcome
    }

    /// One round, as a server does it each second.
    pub(crate) async fn round(&self) -> Option<SignedCheckpoint> {
        self.engine.checkpoint_audit().await.expect("no fault")
    }

    pub(crate) async fn index(&self) {
        while self.engine.index_audit(200).await.expect("indexes").more {}
    }

    pub(crate) async fn rotate(&self) {
        self.engine.rotate_audit_key(&self.session).await.expect("rotates");
    }

    /// All findings, and the cursor goes through its bytes.
    pub(crate) async fn verify(&self, anchor: Option<&StoredCheckpoint>, limit: u32) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut cursor = None;
        loop {
            let limit = VerifyLimit { records: limit, time: Duration::from_secs(60) };
            let verify = self.engine.verify_audit(&self.session);
            let step = verify.run(cursor, anchor.cloned(), limit).await.expect("verifies");
            findings.extend(step.findings);
            let Some(next) = step.next else { return findings };
            cursor = Some(VerifyCursor::from_bytes(&next.to_bytes()).expect("a cursor"));
        }
    }

    pub(crate) async fn close(self) {
        let _ = self.engine.release_audit_checkpoints().await;
        match &self.writer {
            Writer::None => {}
            Writer::Sqlite(writer) => writer.close().await,
            Writer::Postgres(writer) => writer.close().await,
        }
    }
}
