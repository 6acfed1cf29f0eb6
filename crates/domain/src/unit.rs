//! Changes as data: what a store applies whole or not at all.

use crate::audit::{AuditRecord, IndexEntry, LogReader, SignedCheckpoint};
use crate::directory::{DirectoryObject, ObjectKind};
use crate::id::{CredentialId, KeyId, OrganisationId, ProjectId, SecretId, StreamId};
use crate::kms::{Key, KeyState, KeyVersion, KeyVersionNumber};
use crate::lease::{Epoch, LeaseName};
use crate::metadata::Metadata;
use crate::path::SecretPath;
use crate::policy::AccessPolicy;
use crate::principal::Token;
use crate::root_key::{KeyCheck, RootKeyId, SealedInstanceKey};
use crate::scope::Scope;
use crate::secret::{SealedVersion, Secret, SecretState, WrappedKey};
use crate::tenancy::{Organisation, Region};
use crate::time::Timestamp;
use crate::version::VersionNumber;
use core::num::NonZeroU32;
use uuid::Uuid;

/// Counts the changes of an aggregate: a secret with its versions, a KMS key with its versions, an organisation with its directory.
/// Internal; callers see
/// `objectVersion`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(u64);

impl Revision {
    /// Of a new aggregate.
    pub const FIRST: Self = Self(1);

    /// A revision that a store kept.
    #[must_use]
    pub const fn new(revision: u64) -> Self {
        Self(revision)
    }

    /// As a number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// After one more change.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// What is changed as one, under one [`Revision`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AggregateId {
    /// A secret with its versions.
    Secret(SecretId),
    /// A KMS key with its versions.
    Key(KeyId),
    /// An organisation with all objects of its directory.
    Organisation(OrganisationId),
}

/// What may exist once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UniqueKey {
    /// The store's check of its root key: a store is set up once.
    Setup,
    /// A number of a checkpoint of the audit log.
    Checkpoint(u64),
    /// An organisation's slug.
    OrganisationSlug(String),
    /// A region's slug.
    RegionSlug(String),
    /// A secret's path in its scope.
    SecretPath(Scope, SecretPath),
    /// A live KMS key's name in its scope.
    KeyName(Scope, String),
    /// A live KMS key's slug in its scope.
    KeySlug(Scope, String),
    /// A request that was answered: see [`Answer`].
    Answer(AnswerKey),
    /// The [handle](DirectoryObject::handle) of an object of the directory.
    Handle(Option<OrganisationId>, ObjectKind, String),
}

/// What must hold for a unit to be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The aggregate exists and has this revision.
    Revision(AggregateId, Revision),
    /// Nothing holds this key.
    Absent(UniqueKey),
    /// Neither a secret nor a KMS key is in the project, in any region. Goes with the revision of the organisation, which whatever is
    /// made in a project expects too.
    Empty(OrganisationId, ProjectId),
    /// The KMS key exists, and this version of it is not retired: what is wrapped by it can be opened. Goes with whatever stores a wrapped
    /// data key.
    KeyVersion(KeyId, KeyVersionNumber),
    /// The lease has this epoch and has not expired, by the store's clock.
    Lease(LeaseName, Epoch),
    /// The store's key check names this root key. Goes with whatever stores something sealed under it, so that a rotation of the root key
    /// misses nothing.
    RootKey(RootKeyId),
}

/// Names a request that may come again: a keyed digest of principal, scope, method, path and the caller's idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AnswerKey(pub [u8; 32]);

/// The first answer to a request that carried an idempotency key. It holds no value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which request.
    pub key: AnswerKey,
    /// Keyed digest of the request's body; never the body or a plain hash. `None` once the version was destroyed, whose value it could
    /// confirm: then a repeat gets this answer whatever its body is.
    pub body: Option<[u8; 32]>,
    /// What was answered, in the words of the inbound adapter.
    pub answer: Vec<u8>,
    /// The secret that the request made or changed; the answer goes when it goes.
    pub secret: SecretId,
    /// The version that the request made; the digest of the body goes when it is destroyed, the answer stays.
    pub version: VersionNumber,
    /// Until when a repeat gets this answer.
    pub expires_at: Timestamp,
}

/// One change. The engine makes ids, times, revisions and ciphertexts; a store writes what it is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Sets up the store: the check of its root key.
    InsertKeyCheck(KeyCheck),
    /// Adds an instance key, sealed under the root key.
    InsertInstanceKey(SealedInstanceKey),
    /// Adds an organisation.
    InsertOrganisation(Organisation),
    /// Adds a region.
    InsertRegion(Region),
    /// Replaces an organisation, and raises its revision to the new one.
    ReplaceOrganisation(Organisation),
    /// Raises an organisation's revision: goes with every change of an object of its directory.
    ReviseOrganisation {
        /// Which.
        organisation: OrganisationId,
        /// Its new revision.
        revision: Revision,
    },
    /// Replaces a region.
    ReplaceRegion(Region),
    /// Adds an object to the directory, or replaces the one of the same identity.
    PutObject(Box<DirectoryObject>),
    /// Removes an object from the directory; removing it again is fine.
    DeleteObject {
        /// Of which kind.
        kind: ObjectKind,
        /// Which.
        id: Uuid,
    },
    /// Adds a token.
    InsertToken(Token),
    /// Removes a token; removing it again is fine.
    DeleteToken {
        /// Which.
        id: CredentialId,
    },
    /// Adds a secret with its first version.
    InsertSecret {
        /// The secret.
        secret: Secret,
        /// Its first version.
        version: SealedVersion,
    },
    /// Adds a version, and replaces the secret's state.
    AppendVersion {
        /// Of which secret.
        secret: SecretId,
        /// The new version.
        version: SealedVersion,
        /// The secret's new state.
        state: SecretState,
    },
    /// Marks a version destroyed, erases its payload, its wrapped key and the digest of the body of each remembered answer, and replaces
    /// the secret's state.
    ///
    /// - The answers themselves stay until they expire: a put that comes again must never become a second one because its version is gone.
    /// - Several of one secret may follow its [`AppendVersion`](Self::AppendVersion) in one unit. The unit expects one revision, the one
    ///   before it; the state of each change has the revision after that of the change before.
    EraseVersion {
        /// Of which secret.
        secret: SecretId,
        /// Which version.
        version: VersionNumber,
        /// When.
        at: Timestamp,
        /// The secret's new state.
        state: SecretState,
    },
    /// Replaces description, labels and annotations, how many active versions are kept, and the secret's state.
    ReplaceMetadata {
        /// Of which secret.
        secret: SecretId,
        /// The new metadata.
        metadata: Metadata,
        /// How many active versions are kept from now on; `None` for all.
        max_active_versions: Option<NonZeroU32>,
        /// The secret's new state.
        state: SecretState,
    },
    /// Sets or clears the access policy, and replaces the secret's state.
    ReplacePolicy {
        /// Of which secret.
        secret: SecretId,
        /// The new policy.
        policy: Option<AccessPolicy>,
        /// The secret's new state.
        state: SecretState,
    },
    /// Removes a secret, its versions, their payloads and wrapped keys, and its remembered answers.
    DeleteSecret {
        /// Which.
        secret: SecretId,
    },
    /// Adds a KMS key with its first version.
    InsertKey(Key),
    /// Adds a key version, and replaces the key's state.
    AppendKeyVersion {
        /// Of which key.
        key: KeyId,
        /// The new version.
        version: KeyVersion,
        /// The key's new state.
        state: KeyState,
    },
    /// Replaces the state of a key: everything that changes of it but its versions.
    ReplaceKeyState {
        /// Which key.
        key: KeyId,
        /// Its new state.
        state: KeyState,
    },
    /// Replaces the handle of a key version, erasing the one before, and raises the key's revision.
    ReplaceKeyHandle {
        /// Of which key.
        key: KeyId,
        /// The version, with its new handle.
        version: KeyVersion,
        /// The key's new revision.
        revision: Revision,
    },
    /// Removes a key and its versions, erasing their handles; removing it again is fine.
    DeleteKey {
        /// Which key.
        key: KeyId,
    },
    /// Replaces the wrapped data key of a version that is active and still has the one before; else nothing happens. The payload and the
    /// secret's state stay as they are.
    ReplaceWrappedKey {
        /// Of which secret.
        secret: SecretId,
        /// Which version.
        version: VersionNumber,
        /// What it has now.
        before: WrappedKey,
        /// What it is to have.
        after: WrappedKey,
    },
    /// Replaces the sealed bytes of an instance key that still has the ones before; else nothing happens.
    ReplaceInstanceKey {
        /// What its sealed bytes are now.
        before: Vec<u8>,
        /// The key, with its new sealed bytes.
        key: SealedInstanceKey,
    },
    /// Replaces the check of the root key: the store has another from now on.
    ReplaceKeyCheck(KeyCheck),
    /// Adds lines to the audit log's index, and notes that the index of this stream goes so far.
    IndexRecords {
        /// Of which stream.
        stream: StreamId,
        /// The last record whose lines are there.
        through: u64,
        /// The lines; one that is there already stays.
        entries: Vec<IndexEntry>,
    },
    /// Removes the records of a stream up to this one with their lines in the index, and notes how far it was.
    RemoveRecords {
        /// Of which stream.
        stream: StreamId,
        /// The last that goes.
        through: u64,
        /// Their lines.
        entries: Vec<IndexEntry>,
    },
    /// Adds a checkpoint of the audit log, and notes how far it tells of its streams. Its number is one that no other has: else a conflict.
    AddCheckpoint(SignedCheckpoint),
    /// Notes how far a reader of the audit log is with a stream. Never back, but from behind the stream's last record, where no server put it.
    AdvanceReader {
        /// Who.
        reader: LogReader,
        /// With which stream.
        stream: StreamId,
        /// The last record that it has had.
        through: u64,
    },
    /// Remembers the answer to a request.
    RememberAnswer(Answer),
    /// Forgets one answer if it expired before `before`; forgetting it again is fine. The request may have been answered anew
    /// meanwhile, and that answer stays.
    ForgetAnswer {
        /// Which.
        key: AnswerKey,
        /// The time.
        before: Timestamp,
    },
    /// Forgets at most `limit` answers that expired before `before`.
    PruneAnswers {
        /// The time.
        before: Timestamp,
        /// How many at the most.
        limit: u32,
    },
}

impl Change {
    /// The secret that it changes.
    #[must_use]
    pub const fn secret(&self) -> Option<SecretId> {
        match self {
            Self::InsertSecret { secret, .. } => Some(secret.id),
            Self::AppendVersion { secret, .. }
            | Self::EraseVersion { secret, .. }
            | Self::ReplaceMetadata { secret, .. }
            | Self::ReplacePolicy { secret, .. }
            | Self::ReplaceWrappedKey { secret, .. }
            | Self::DeleteSecret { secret } => Some(*secret),
            Self::InsertKeyCheck(_)
            | Self::InsertInstanceKey(_)
            | Self::InsertOrganisation(_)
            | Self::InsertRegion(_)
            | Self::ReplaceOrganisation(_)
            | Self::ReviseOrganisation { .. }
            | Self::ReplaceRegion(_)
            | Self::PutObject(_)
            | Self::DeleteObject { .. }
            | Self::InsertToken(_)
            | Self::DeleteToken { .. }
            | Self::InsertKey(_)
            | Self::AppendKeyVersion { .. }
            | Self::ReplaceKeyState { .. }
            | Self::ReplaceKeyHandle { .. }
            | Self::DeleteKey { .. }
            | Self::ReplaceInstanceKey { .. }
            | Self::ReplaceKeyCheck(_)
            | Self::IndexRecords { .. }
            | Self::RemoveRecords { .. }
            | Self::AddCheckpoint(_)
            | Self::AdvanceReader { .. }
            | Self::RememberAnswer(_)
            | Self::ForgetAnswer { .. }
            | Self::PruneAnswers { .. } => None,
        }
    }
}

/// A change, applied whole or not at all, with the audit records that tell of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unit {
    /// What must hold.
    pub expect: Vec<Expect>,
    /// What changes, in order.
    pub changes: Vec<Change>,
    /// What the audit log keeps of it, in order.
    pub records: Vec<AuditRecord>,
}
