use super::at;
use super::secret::version_number;
use crate::error::corrupt;
use sea_orm::FromQueryResult;
use strongroom_domain::port::ReadError;
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
