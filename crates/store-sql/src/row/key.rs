use super::{at, metadata, number, scope};
use crate::entity::kms_key;
use crate::error::corrupt;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::{
    Key, KeyHandle, KeyOrigin, KeySpec, KeyState, KeyStatus, KeySummary, KeyType, KeyVersion, KeyVersionNumber,
    Rotation,
};
use strongroom_domain::port::ReadError;
use strongroom_domain::unit::Revision;

/// The columns of a key's status: name, `purge_at`, `was_disabled`.
pub(crate) fn status_columns(status: KeyStatus) -> (&'static str, Option<i64>, Option<bool>) {
    match status {
        KeyStatus::Active | KeyStatus::Disabled => (status.as_str(), None, None),
        KeyStatus::PendingDeletion { purge_at, was_disabled } => {
            (status.as_str(), Some(purge_at.as_micros()), Some(was_disabled))
        }
    }
}

fn status(name: &str, purge_at: Option<i64>, was_disabled: Option<bool>) -> Result<KeyStatus, ReadError> {
    let status = match (purge_at, was_disabled) {
        (None, None) if name == KeyStatus::Active.as_str() => KeyStatus::Active,
        (None, None) => KeyStatus::Disabled,
        (Some(purge_at), Some(was_disabled)) => KeyStatus::PendingDeletion { purge_at: at(purge_at), was_disabled },
        _ => return Err(corrupt("key status")),
    };
    if status.as_str() == name { Ok(status) } else { Err(corrupt("key status")) }
}

fn key_type(name: &str) -> Result<KeyType, ReadError> {
    KeyType::from_name(name).ok_or_else(|| corrupt("key type"))
}

pub(crate) fn version_number(column: i64) -> Result<KeyVersionNumber, ReadError> {
    number(column, "key version").and_then(|n| KeyVersionNumber::new(n).ok_or_else(|| corrupt("key version")))
}

/// The columns of a key's origin: name, `allow_rotation`.
pub(crate) const fn origin_columns(origin: KeyOrigin) -> (&'static str, Option<bool>) {
    match origin {
        KeyOrigin::Generated => (GENERATED, None),
        KeyOrigin::Imported { allow_rotation } => (IMPORTED, Some(allow_rotation)),
    }
}

const GENERATED: &str = "generated";
const IMPORTED: &str = "imported";

fn origin(name: &str, allow_rotation: Option<bool>) -> Result<KeyOrigin, ReadError> {
    match (name, allow_rotation) {
        (GENERATED, None) => Ok(KeyOrigin::Generated),
        (IMPORTED, Some(allow_rotation)) => Ok(KeyOrigin::Imported { allow_rotation }),
        _ => Err(corrupt("key origin")),
    }
}

/// A version's columns; `handle` is null when its material is lost.
pub(crate) struct KeyVersionRow {
    pub(crate) number: i64,
    pub(crate) handle: Option<Vec<u8>>,
    pub(crate) created_at: i64,
}

impl KeyVersionRow {
    pub(crate) fn read(self) -> Result<KeyVersion, ReadError> {
        Ok(KeyVersion {
            number: version_number(self.number)?,
            handle: KeyHandle::new(self.handle.ok_or_else(|| corrupt("key handle"))?),
            created_at: at(self.created_at),
        })
    }
}

impl kms_key::Model {
    /// The key with these versions, which stand by rising number.
    pub(crate) fn read(self, versions: Vec<KeyVersion>) -> Result<Key, ReadError> {
        if versions.is_empty() {
            return Err(corrupt("key without versions"));
        }
        Ok(Key {
            spec: KeySpec {
                id: KeyId::new(self.id),
                scope: scope(self.organisation, self.region, self.project),
                key_type: key_type(&self.key_type)?,
                export_allowed: self.export_allowed,
            },
            name: self.name,
            slug: self.slug,
            metadata: metadata::decode(&self.metadata)?,
            origin: origin(&self.origin, self.allow_rotation)?,
            state: KeyState {
                status: status(&self.status, self.purge_at, self.was_disabled)?,
                rotation: Rotation {
                    enabled: self.rotation_enabled,
                    period_days: self.rotation_days.map(|days| number(days, "rotation period")).transpose()?,
                },
                min_decryption_version: version_number(self.min_decryption_version)?,
                updated_at: at(self.updated_at),
                object_version: number(self.object_version, "key")?,
                revision: Revision::new(number(self.revision, "key")?),
            },
            created_at: at(self.created_at),
            versions,
        })
    }

    pub(crate) fn summary(self) -> Result<KeySummary, ReadError> {
        Ok(KeySummary {
            id: KeyId::new(self.id),
            key_type: key_type(&self.key_type)?,
            status: status(&self.status, self.purge_at, self.was_disabled)?,
            name: self.name,
            slug: self.slug,
        })
    }
}
