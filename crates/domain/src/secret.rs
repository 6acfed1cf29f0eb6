//! A secret: what is known of it without its values, and how it changes.

use crate::id::{KeyId, SecretId};
use crate::kms::KeyVersionNumber;
use crate::metadata::Metadata;
use crate::path::SecretPath;
use crate::policy::AccessPolicy;
use crate::scope::Scope;
use crate::time::Timestamp;
use crate::unit::Revision;
use crate::value::ValueFormat;
use crate::version::{Head, TooManyVersions, VersionNumber};

/// A secret without its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Secret {
    /// Internal, immutable; a secret made anew at the same path has another.
    pub id: SecretId,
    /// Whose it is.
    pub scope: Scope,
    /// Where it lives.
    pub path: SecretPath,
    /// The KMS key that it was bound to at creation.
    pub key: KeyId,
    /// Description, labels, annotations.
    pub metadata: Metadata,
    /// Further conditions on reveal and put.
    pub policy: Option<AccessPolicy>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When any version was last revealed.
    pub last_accessed_at: Option<Timestamp>,
    /// What every change changes.
    pub state: SecretState,
}

/// What every change of a secret changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretState {
    /// Where the versions stand.
    pub head: Head,
    /// When the secret was last changed by a put, destroy, policy or metadata change.
    pub updated_at: Timestamp,
    /// Counts those changes, from 1.
    pub object_version: u64,
    /// Counts all changes, also those that callers don't see.
    pub revision: Revision,
}

impl SecretState {
    /// Of a new secret with its first version.
    #[must_use]
    pub const fn first(at: Timestamp) -> Self {
        Self { head: Head::FIRST, updated_at: at, object_version: 1, revision: Revision::FIRST }
    }

    /// After a visible change that leaves the versions alone.
    #[must_use]
    pub fn touched(self, at: Timestamp) -> Self {
        Self {
            updated_at: at.max(self.updated_at),
            object_version: self.object_version + 1,
            revision: self.revision.next(),
            ..self
        }
    }

    /// After one more version, numbered `head.latest`.
    ///
    /// # Errors
    /// [`TooManyVersions`] when `limit` versions are active already.
    pub fn appended(self, at: Timestamp, limit: u32) -> Result<Self, TooManyVersions> {
        Ok(Self { head: self.head.appended(limit)?, ..self.touched(at) })
    }

    /// After the active version `number` is destroyed, `below` being the highest active one below it.
    #[must_use]
    pub fn destroyed(self, number: VersionNumber, below: Option<VersionNumber>, at: Timestamp) -> Self {
        Self { head: self.head.destroyed(number, below), ..self.touched(at) }
    }
}

/// A data key, encrypted under a version of the bound KMS key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// The key version that wrapped it.
    pub key_version: KeyVersionNumber,
    /// What the KMS answered.
    pub bytes: Vec<u8>,
}

/// A version's value as it is stored: encrypted under a data key of its own, which is wrapped by the KMS key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedVersion {
    /// The version's number.
    pub number: VersionNumber,
    /// How the value is structured.
    pub format: ValueFormat,
    /// When it was put.
    pub created_at: Timestamp,
    /// The wrapped data key.
    pub wrapped: WrappedKey,
    /// The encrypted value, in the form of [`envelope`](crate::envelope).
    pub payload: Vec<u8>,
}
