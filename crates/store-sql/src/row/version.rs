use super::secret::version_number;
use super::{at, key};
use crate::error::corrupt;
use sea_orm::FromQueryResult;
use std::sync::Arc;
use strongroom_domain::port::{ReadError, SealedVersionState};
use strongroom_domain::secret::{SealedVersion, WrappedKey};
use strongroom_domain::value::ValueFormat;
use strongroom_domain::version::{Version, VersionStatus};

/// A version's columns, and when it was last accessed.
#[derive(FromQueryResult)]
pub(crate) struct VersionRow {
    pub(crate) number: i64,
    pub(crate) format: String,
    pub(crate) created_at: i64,
    pub(crate) destroyed_at: Option<i64>,
    pub(crate) accessed_at: Option<i64>,
}

pub(crate) fn format(name: &str) -> Result<ValueFormat, ReadError> {
    ValueFormat::from_name(name).ok_or_else(|| corrupt("value format"))
}

impl VersionRow {
    pub(crate) fn read(self) -> Result<Version, ReadError> {
        Ok(Version {
            number: version_number(self.number)?,
            status: self
                .destroyed_at
                .map_or(VersionStatus::Active, |micros| VersionStatus::Destroyed { at: at(micros) }),
            format: format(&self.format)?,
            created_at: at(self.created_at),
            last_accessed_at: self.accessed_at.map(at),
        })
    }
}

/// The columns of a version with its material, all null when there is none.
pub(crate) struct SealedRow {
    pub(crate) number: Option<i64>,
    pub(crate) format: Option<String>,
    pub(crate) created_at: Option<i64>,
    pub(crate) destroyed_at: Option<i64>,
    pub(crate) key_version: Option<i64>,
    pub(crate) wrapped: Option<Vec<u8>>,
    pub(crate) payload: Option<Vec<u8>>,
}

impl SealedRow {
    pub(crate) fn read(self) -> Result<SealedVersionState, ReadError> {
        let Some(number) = self.number else { return Ok(SealedVersionState::Missing) };
        if self.destroyed_at.is_some() {
            return Ok(SealedVersionState::Destroyed);
        }
        let damaged = || corrupt("version");
        Ok(SealedVersionState::Active(Arc::new(SealedVersion {
            number: version_number(number)?,
            format: format(&self.format.ok_or_else(damaged)?)?,
            created_at: at(self.created_at.ok_or_else(damaged)?),
            wrapped: WrappedKey {
                key_version: key::version_number(self.key_version.ok_or_else(damaged)?)?,
                bytes: self.wrapped.ok_or_else(damaged)?,
            },
            payload: self.payload.ok_or_else(damaged)?,
        })))
    }
}
