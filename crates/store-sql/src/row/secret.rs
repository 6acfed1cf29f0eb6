use super::{at, number, policy, scope};
use crate::error::corrupt;
use crate::row::metadata;
use core::num::NonZeroU32;
use sea_orm::FromQueryResult;
use strongroom_domain::id::{KeyId, SecretId};
use strongroom_domain::port::ReadError;
use strongroom_domain::secret::{Secret, SecretState};
use strongroom_domain::unit::Revision;
use strongroom_domain::version::{Head, VersionNumber};
use uuid::Uuid;

/// A secret's columns, and when it was last accessed.
#[derive(FromQueryResult)]
pub(crate) struct SecretRow {
    pub(crate) id: Uuid,
    pub(crate) organisation: Uuid,
    pub(crate) region: Uuid,
    pub(crate) project: Uuid,
    pub(crate) path: String,
    pub(crate) key_id: Uuid,
    pub(crate) metadata: Vec<u8>,
    pub(crate) policy: Option<Vec<u8>>,
    pub(crate) max_active_versions: Option<i64>,
    pub(crate) latest: i64,
    pub(crate) current: Option<i64>,
    pub(crate) active: i64,
    pub(crate) updated_at: i64,
    pub(crate) object_version: i64,
    pub(crate) revision: i64,
    pub(crate) created_at: i64,
    pub(crate) accessed_at: Option<i64>,
}

pub(crate) fn version_number(column: i64) -> Result<VersionNumber, ReadError> {
    number(column, "version number").and_then(|n| VersionNumber::new(n).ok_or_else(|| corrupt("version number")))
}

/// The column of how many active versions are kept.
pub(crate) fn kept_column(kept: Option<NonZeroU32>) -> Option<i64> {
    kept.map(|kept| i64::from(kept.get()))
}

fn kept(column: i64) -> Result<NonZeroU32, ReadError> {
    number(column, "secret").and_then(|kept| NonZeroU32::new(kept).ok_or_else(|| corrupt("secret")))
}

impl SecretRow {
    pub(crate) fn read(self) -> Result<Secret, ReadError> {
        Ok(Secret {
            id: SecretId::new(self.id),
            scope: scope(self.organisation, self.region, self.project),
            path: self.path.parse().map_err(|error| corrupt("path").because(error))?,
            key: KeyId::new(self.key_id),
            metadata: metadata::decode(&self.metadata)?,
            policy: self.policy.as_deref().map(policy::decode).transpose()?,
            max_active_versions: self.max_active_versions.map(kept).transpose()?,
            created_at: at(self.created_at),
            last_accessed_at: self.accessed_at.map(at),
            state: SecretState {
                head: Head {
                    latest: version_number(self.latest)?,
                    current: self.current.map(version_number).transpose()?,
                    active: number(self.active, "secret")?,
                },
                updated_at: at(self.updated_at),
                object_version: number(self.object_version, "secret")?,
                revision: Revision::new(number(self.revision, "secret")?),
            },
        })
    }
}
