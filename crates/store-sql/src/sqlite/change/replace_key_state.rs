use super::{Refusal, before, rotation_due};
use crate::row;
use rusqlite::Connection;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::KeyState;
use strongroom_domain::unit::AggregateId;

pub(super) fn apply(connection: &Connection, key: KeyId, state: KeyState) -> Result<(), Refusal> {
    replace(connection, key, state)?;
    rotation_due::refresh(connection, key)
}

/// A key that comes back from pending deletion holds its name and slug again unless another has taken one of them.
pub(super) fn replace(connection: &Connection, key: KeyId, state: KeyState) -> Result<(), Refusal> {
    let (status, purge_at, was_disabled) = row::key::status_columns(state.status);
    let rows = connection
        .prepare_cached(
            "UPDATE kms_keys SET
                 status = ?2, purge_at = ?3, was_disabled = ?4, updated_at = ?5, object_version = ?6, revision = ?7,
                 rotation_enabled = ?8, rotation_days = ?9, min_decryption_version = ?10,
                 holds_name = ?3 IS NULL AND NOT EXISTS (
                     SELECT 1 FROM kms_keys other
                     WHERE other.organisation = kms_keys.organisation AND other.region = kms_keys.region
                       AND other.project = kms_keys.project AND (other.name = kms_keys.name OR other.slug = kms_keys.slug)
                       AND other.holds_name AND other.id <> kms_keys.id)
             WHERE id = ?1 AND revision = ?7 - 1",
        )?
        .execute((
            key.uuid(),
            status,
            purge_at,
            was_disabled,
            state.updated_at.as_micros(),
            row::column(state.object_version),
            row::column(state.revision.get()),
            state.rotation.enabled,
            state.rotation.period_days,
            state.min_decryption_version.get(),
        ))?;
    if rows == 0 { Err(before(AggregateId::Key(key), state.revision)) } else { Ok(()) }
}
