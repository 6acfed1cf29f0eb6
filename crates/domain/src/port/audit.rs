use crate::audit::{
    AuditRecord, Behind, ChainHash, ChainedRecord, Checkpoint, IndexEntry, Link, LogReader, Signature,
    SignedCheckpoint, SinkName, Term,
};
use crate::failure::Failure;
use crate::id::{EventId, OrganisationId, RequestId, SecretId, StreamId};
use crate::port::{CommitError, ReadError, RootKeyError};
use crate::root_key::SealedInstanceKey;
use crate::time::Timestamp;
use crate::unit::Revision;
use crate::version::VersionNumber;
use async_trait::async_trait;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The last check of a reveal, and its trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The secret.
    pub secret: SecretId,
    /// The version whose value is about to leave.
    pub version: VersionNumber,
    /// The revision that the value was read at.
    pub seen: Revision,
    /// When the value was asked for: what `last_accessed_at` becomes, unless that is later already.
    pub at: Timestamp,
    /// The secret's record and the key's.
    pub records: [AuditRecord; 2],
}

/// Why an access was not recorded. No value leaves in any of these cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessErrorKind {
    /// The secret is gone or was changed since it was read; nothing was stored, and reading again is right.
    Stale,
    /// There is no room; nothing was stored.
    Full,
    /// The store is out of reach, overloaded or stopping; nothing was stored.
    Unavailable,
    /// The store can't tell whether the access was stored.
    OutcomeUnknown,
}

/// An access was not recorded.
pub type AccessError = Failure<AccessErrorKind>;

/// Records reveals before their values leave.
#[async_trait]
pub trait AccessLog: Send + Sync {
    /// Records one access.
    ///
    /// - Returns when both records are durable.
    /// - Answers `Stale`, leaving nothing, when the secret is gone or its revision is no longer `seen`.
    /// - `last_accessed_at` of the secret and of the version shows the access on the node that recorded it from then on, on others
    ///   within a second, and after a restart; it never goes back.
    /// - Accesses of many callers may share one commit; one that fails fails alone.
    ///
    /// # Errors
    /// [`AccessErrorKind::Stale`] as said above, [`AccessErrorKind::Full`] and [`AccessErrorKind::Unavailable`] when nothing can be stored
    /// now, [`AccessErrorKind::OutcomeUnknown`] when the store broke off while it was at it.
    async fn record(&self, access: Access) -> Result<(), AccessError>;
}

/// Takes the records of answers that hold no value: metadata, lists, denials.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Queues a record; it is durable within a second.
    ///
    /// - Waits while the queue is full; nothing is dropped.
    /// - Keeps the order in which one caller queued.
    ///
    /// # Errors
    /// [`CommitErrorKind::Unavailable`](crate::port::CommitErrorKind::Unavailable) when the store is stopping or has stopped: the record isn't
    /// queued. No other kind; a store without room or out of reach makes callers wait.
    async fn enqueue(&self, record: AuditRecord) -> Result<(), CommitError>;
}

/// Reads the audit log's streams.
///
/// # Errors
/// Of every method, and no others: [`ReadErrorKind::Unavailable`](crate::port::ReadErrorKind::Unavailable) when the store can't be asked now,
/// [`ReadErrorKind::Corrupt`](crate::port::ReadErrorKind::Corrupt) when something that belongs into the answer can't be read, unless the
/// method gives it as it lies in the store, or says what it gives instead.
#[async_trait]
pub trait AuditReader: Send + Sync {
    /// The streams there are, each once, in the order in which they began. One may have no record yet.
    async fn streams(&self) -> Result<Vec<StreamId>, ReadError>;

    /// At most `limit` records of a stream after sequence `after`, in order.
    ///
    /// - Sequences have no gap, and each record's hash follows from the one before.
    /// - The last record of a stream is signed.
    async fn records(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<ChainedRecord>, ReadError>;

    /// The newest record in an organisation's log that tells of a denial in a request.
    ///
    /// - Records of other outcomes, of other organisations and of none are not looked at.
    /// - Newest is by time; of two of one time, the one that was written later, where one writer wrote both.
    async fn denied(&self, request: RequestId, organisation: OrganisationId) -> Result<Option<AuditRecord>, ReadError>;

    /// At most `limit` streams with records that a reader has not had yet, in the order in which they began, after this one.
    ///
    /// - A position behind the stream's last record tells of nothing: positions are written after the records, of which the last is never
    ///   removed, so that somebody else put it there. The reader has the whole stream before it. That of [`LogReader::Checkpoints`] is
    ///   given as it is, also where no record is left: a checkpoint told of records that are gone.
    async fn behind(&self, reader: &LogReader, after: Option<StreamId>, limit: u32) -> Result<Vec<Behind>, ReadError>;

    /// The newest at most `limit` index lines of a term within a window, newest first: by time, then by event. With each the stream that
    /// its record is in.
    ///
    /// - Lines of records that were indexed: not yet those of the last second or so.
    /// - Costs by `limit`, not by how many there are.
    async fn find(
        &self,
        organisation: Option<OrganisationId>,
        term: Term,
        window: Window,
        limit: u32,
    ) -> Result<Vec<(IndexEntry, StreamId)>, ReadError>;

    /// How many lines of a term lie within a window, counted up to `limit`: an answer of `limit` means as many or more.
    async fn count(
        &self,
        organisation: Option<OrganisationId>,
        term: Term,
        window: Window,
        limit: u32,
    ) -> Result<u32, ReadError>;

    /// The records at these places, in this order; `None` for one that was removed, or is damaged.
    async fn at(&self, places: &[(StreamId, u64)]) -> Result<Vec<Option<ChainedRecord>>, ReadError>;

    /// At most `limit` links of a stream after this sequence, as they lie in the store, whatever was done to them.
    async fn links(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<Link>, ReadError>;

    /// For each of these lines of a stream's records whether the index has it, leading to that very record.
    async fn indexed(&self, stream: StreamId, entries: &[IndexEntry]) -> Result<Vec<bool>, ReadError>;

    /// At most `limit` lines of the index after this one, by organisation (none first), term, time and event, as they lie in the store.
    ///
    /// - Lines and the records that they lead to are of one moment.
    /// - A line that was altered so that it can't be read is one that leads to no record, and the last that is given.
    async fn index_lines(&self, after: Option<&IndexEntry>, limit: u32) -> Result<Vec<StoredLine>, ReadError>;

    /// At most `limit` checkpoints after this number, in order, as they lie in the store.
    async fn checkpoints(&self, after: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, ReadError>;

    /// The last at most `limit` checkpoints of lower numbers than this one, the highest first, as they lie in the store.
    async fn checkpoints_before(&self, number: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, ReadError>;

    /// The checkpoint of the highest number, as it lies in the store; `None` before the first.
    async fn last_checkpoint(&self) -> Result<Option<StoredCheckpoint>, ReadError>;
}

/// A part of the log's index: from a time, before a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The earliest time that is in it.
    pub from: Timestamp,
    /// The first that is too late: a time, and an event of that time.
    pub before: (Timestamp, EventId),
}

impl Window {
    /// Everything.
    pub const ALL: Self =
        Self { from: Timestamp::from_micros(0), before: (Timestamp::from_micros(i64::MAX), EventId::new(Uuid::max())) };

    /// From a time on, before a time.
    #[must_use]
    pub const fn between(from: Timestamp, to: Timestamp) -> Self {
        Self { from, before: (to, EventId::new(Uuid::nil())) }
    }
}

/// A line of the index as it lies in the store, whatever was done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLine {
    /// The line.
    pub entry: IndexEntry,
    /// The canonical bytes of the record that it leads to; `None` when there is none.
    pub canonical: Option<Vec<u8>>,
}

impl StoredLine {
    /// Whether the record gives this line. No record has the sequence 0.
    #[must_use]
    pub fn is_of_its_record(&self) -> bool {
        let record = self.canonical.as_deref().filter(|_| self.entry.sequence > 0).map(AuditRecord::from_canonical);
        matches!(record, Some(Ok(record)) if IndexEntry::of(&record, self.entry.sequence).contains(&self.entry))
    }
}

/// A checkpoint as it lies in the store, whatever was done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// Its number, by which it was found.
    pub number: u64,
    /// Its canonical bytes, as they are stored.
    pub canonical: Vec<u8>,
    /// The signature: the key's version and, unless somebody changed that, 64 bytes.
    pub signature: (u32, Vec<u8>),
}

impl StoredCheckpoint {
    /// SHA-256 of its bytes, with which the next one is chained to it.
    #[must_use]
    pub fn hash(&self) -> ChainHash {
        Sha256::digest(&self.canonical).into()
    }

    /// The checkpoint, where it has the right form.
    #[must_use]
    pub fn read(&self) -> Option<SignedCheckpoint> {
        let checkpoint = Checkpoint::from_canonical(&self.canonical).ok()?;
        let signature = Signature::try_from(self.signature.clone()).ok()?;
        (checkpoint.number == self.number).then_some(SignedCheckpoint { checkpoint, signature })
    }
}

impl From<&SignedCheckpoint> for StoredCheckpoint {
    fn from(SignedCheckpoint { checkpoint, signature }: &SignedCheckpoint) -> Self {
        let signature = (signature.key_version, signature.bytes.to_vec());
        Self { number: checkpoint.number, canonical: checkpoint.to_canonical(), signature }
    }
}

/// Signs commits of the audit log.
pub trait AuditSigner: Send + Sync {
    /// Signs [`signed_bytes`](crate::audit::signed_bytes).
    fn sign(&self, bytes: &[u8]) -> Signature;
}

/// The keys that sign the audit log, of a node.
pub trait AuditKeys: AuditSigner {
    /// The version of the key that signs now.
    fn current(&self) -> u32;

    /// Takes on keys of the store, and signs from now on with the newest of them whose version is at most `known`: the newest that a
    /// checkpoint made known. Never goes back.
    ///
    /// # Errors
    /// [`RootKeyError`] when that one doesn't open.
    fn adopt(&self, keys: &[SealedInstanceKey], known: u32) -> Result<(), RootKeyError>;

    /// The public part of a stored key that opens: so the key is the installation's own, and not one that somebody wrote into the store.
    ///
    /// # Errors
    /// [`RootKeyError`] when it doesn't open, or the public part beside it is another one's.
    fn public_of(&self, key: &SealedInstanceKey) -> Result<[u8; 32], RootKeyError>;

    /// A new key of this version, sealed, with its public part; to be stored.
    ///
    /// # Errors
    /// [`RootKeyError`] when nothing can be sealed, or there is no randomness.
    fn generate(&self, version: u32) -> Result<SealedInstanceKey, RootKeyError>;
}

/// Verifies what [`AuditSigner`] signed.
pub trait SignatureVerifier: Send + Sync {
    /// Whether the signature (Ed25519, RFC 8032) is this key's over these bytes.
    fn verify(&self, public: &[u8; 32], bytes: &[u8], signature: &[u8; 64]) -> bool;
}

/// A sink did not take records. They are sent again later.
#[derive(Debug, thiserror::Error)]
#[error("{context}")]
pub struct SinkError {
    context: String,
    source: Option<Box<dyn core::error::Error + Send + Sync>>,
}

impl SinkError {
    /// In a sentence, lower case, no full stop.
    #[must_use]
    pub fn new(context: impl Into<String>) -> Self {
        Self { context: context.into(), source: None }
    }

    /// With its cause.
    #[must_use]
    pub fn because(self, source: impl Into<Box<dyn core::error::Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }
}

/// Where records are sent on to.
#[async_trait]
pub trait AuditSink: Send + Sync {
    /// Names it; how far it is with each stream is kept under that name.
    fn name(&self) -> &SinkName;

    /// Takes records of one stream, in order.
    ///
    /// - `Ok` when all of them are where they are sent to, as durable as that can be told. Otherwise all are sent again, so some may come
    ///   twice: event, stream and sequence tell.
    /// - Ends within a time of its own; a dead sink is an error.
    ///
    /// # Errors
    /// [`SinkError`] when they are not, or perhaps not, all there: it can't be reached, refuses them, or was too slow.
    async fn deliver(&self, records: &[ChainedRecord]) -> Result<(), SinkError>;
}

/// Where checkpoints are sent to as they are made, so that they are kept apart from the store.
#[async_trait]
pub trait CheckpointSink: Send + Sync {
    /// Takes a checkpoint; as for [`AuditSink::deliver`].
    ///
    /// # Errors
    /// As for [`AuditSink::deliver`].
    async fn publish(&self, checkpoint: &SignedCheckpoint) -> Result<(), SinkError>;
}
