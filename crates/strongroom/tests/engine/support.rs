use std::sync::Arc;
use strongroom::domain::audit::AuditRecord;
use strongroom::domain::iam::Rule;
use strongroom::domain::id::{RuleId, StreamId, UserId};
use strongroom::domain::kms::Key;
use strongroom::domain::path::SecretPath;
use strongroom::domain::port::{AuditReader, Kms};
use strongroom::domain::time::Timestamp;
use strongroom::domain::value::{SecretBytes, SecretValue};
use strongroom::domain::version::{VersionNumber, VersionSelector};
use strongroom::embed::{Embedded, Environment, Store};
use strongroom::kms::CreateKeyInput;
use strongroom::secret::{CreateInput, PutInput};
use strongroom::{Code, Error, Limits, Session, ValueInput};
use strongroom_crypto::{Aes256GcmCipher, HmacSha256Digest, OsEntropy};
use strongroom_kms_memory::MemoryKms;
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::{FixedSigner, ManualClock, SequentialIds};
use uuid::Uuid;

pub(crate) const START: Timestamp = Timestamp::from_micros(1_000_000_000);

/// What several engines share: a store, a KMS and a clock.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) kms: Arc<dyn Kms>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) limits: Limits,
    ids: Arc<SequentialIds>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            store: Arc::new(MemoryStore::new(Arc::new(FixedSigner), StreamId::new(Uuid::nil()))),
            kms: Arc::new(MemoryKms::new(Arc::new(OsEntropy))),
            clock: Arc::new(ManualClock::jumping(START)),
            limits: Limits::default(),
            ids: Arc::new(SequentialIds::new()),
        }
    }

    /// One node over the shared store.
    pub(crate) async fn node(&self) -> Embedded {
        self.node_over(Arc::clone(&self.store)).await
    }

    pub(crate) async fn node_over(&self, store: Arc<impl Store>) -> Embedded {
        let environment = Environment {
            cipher: Arc::new(Aes256GcmCipher),
            answer_digest: Arc::new(HmacSha256Digest::new(&bytes(&[7; 32]), 1)),
            clock: Arc::clone(&self.clock) as _,
            ids: Arc::clone(&self.ids) as _,
            entropy: Arc::new(OsEntropy),
        };
        Embedded::start(store, Arc::clone(&self.kms), environment, self.limits).await.expect("starts")
    }

    /// Every record of the audit log, in order.
    pub(crate) async fn records(&self) -> Vec<AuditRecord> {
        let mut records = Vec::new();
        for stream in self.store.streams().await.expect("streams") {
            let page = self.store.records(stream, 0, 100_000).await.expect("records");
            records.extend(page.into_iter().map(|chained| chained.record));
        }
        records
    }

    /// What the log says, from the `n`-th record: action, outcome, status.
    pub(crate) async fn log_after(&self, n: usize) -> Vec<(&'static str, &'static str, u16)> {
        let records = self.records().await;
        records[n..].iter().map(|it| (it.action.as_str(), it.outcome.as_str(), it.status)).collect()
    }
}

pub(crate) fn path(text: &str) -> SecretPath {
    text.parse().expect("a legal path")
}

pub(crate) fn bytes(bytes: &[u8]) -> SecretBytes {
    SecretBytes::copy_of(bytes)
}

pub(crate) fn number(number: u64) -> VersionNumber {
    VersionNumber::new(number).expect("not 0")
}

pub(crate) fn string(text: &[u8]) -> PutInput {
    PutInput { value: ValueInput::Value(SecretValue::String(bytes(text))), expected: None }
}

pub(crate) fn rule(resource: &str, identities: &[&str], permissions: &[&str]) -> Rule {
    let owned = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
    Rule {
        id: RuleId::new(Uuid::from_u128(99)),
        resources: vec![resource.to_owned()],
        resource_identities: owned(identities),
        permissions: owned(permissions),
        note: String::new(),
    }
}

pub(crate) fn user() -> UserId {
    UserId::new(Uuid::from_u128(42))
}

pub(crate) async fn key(room: &Embedded, session: &Session, name: &str) -> Arc<Key> {
    let create = room.engine().create_key(session).await.expect("allowed");
    create.run(CreateKeyInput::named(name)).await.expect("creates")
}

pub(crate) async fn create(room: &Embedded, session: &Session, at: &str, key: &Key, value: &[u8]) -> Result<(), Error> {
    let input = CreateInput::string(key, bytes(value));
    room.engine().create(session, path(at)).await?.run(input, None).await.map(drop)
}

pub(crate) async fn put(room: &Embedded, session: &Session, at: &str, value: &[u8]) -> Result<u64, Error> {
    let outcome = room.engine().put(session, path(at)).await?.run(string(value), None).await?;
    Ok(outcome.done().expect("no idempotency key").version.get())
}

/// Version number and value.
pub(crate) async fn reveal(room: &Embedded, session: &Session, at: &str) -> Result<(u64, Vec<u8>), Error> {
    reveal_version(room, session, at, VersionSelector::Current).await
}

pub(crate) async fn reveal_version(
    room: &Embedded,
    session: &Session,
    at: &str,
    version: VersionSelector,
) -> Result<(u64, Vec<u8>), Error> {
    let revealed = room.engine().reveal(session, path(at)).await?.run(version).await?;
    match revealed.value {
        SecretValue::String(bytes) => Ok((revealed.version.get(), bytes.expose().to_vec())),
        SecretValue::KeyValue(_) => panic!("the tests that use this store strings"),
    }
}

pub(crate) fn code<T>(outcome: Result<T, Error>) -> Option<Code> {
    outcome.err().map(|error| error.code())
}

/// What decided, and for how many calls the record stands.
pub(crate) fn cause(record: &AuditRecord) -> (&str, u64) {
    let count = record.details.as_ref().and_then(|details| details.count);
    (record.decided_by.as_deref().unwrap_or_default(), count.unwrap_or(1))
}
