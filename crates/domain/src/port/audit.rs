use crate::audit::{AuditRecord, ChainedRecord, Signature};
use crate::failure::Failure;
use crate::id::{OrganisationId, RequestId, SecretId, StreamId};
use crate::port::{CommitError, ReadError};
use crate::time::Timestamp;
use crate::unit::Revision;
use crate::version::VersionNumber;
use async_trait::async_trait;

/// The last check of a reveal, and its trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The secret.
    pub secret: SecretId,
    /// The version whose value is about to leave.
    pub version: VersionNumber,
    /// The revision that the value was read at.
    pub seen: Revision,
    /// When.
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
    async fn record(&self, access: Access) -> Result<(), AccessError>;
}

/// Takes the records of answers that hold no value: metadata, lists, denials.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Queues a record; it is durable within a second.
    ///
    /// - Waits while the queue is full; nothing is dropped.
    /// - Keeps the order in which one caller queued.
    async fn enqueue(&self, record: AuditRecord) -> Result<(), CommitError>;
}

/// Reads the audit log's streams.
#[async_trait]
pub trait AuditReader: Send + Sync {
    /// The streams there are.
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
}

/// Signs commits of the audit log.
pub trait AuditSigner: Send + Sync {
    /// Signs [`signed_bytes`](crate::audit::signed_bytes).
    fn sign(&self, bytes: &[u8]) -> Signature;
}
