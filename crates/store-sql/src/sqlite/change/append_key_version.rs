use super::{Refusal, materials, replace_key_state, rotation_due};
use rusqlite::Connection;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::{KeyState, KeyVersion};

pub(super) fn apply(connection: &Connection, key: KeyId, version: &KeyVersion, state: KeyState) -> Result<(), Refusal> {
    replace_key_state::replace(connection, key, state)?;
    insert(connection, key, version)?;
    rotation_due::refresh(connection, key)
}

pub(super) fn insert(connection: &Connection, key: KeyId, version: &KeyVersion) -> Result<(), Refusal> {
    let material = materials::store(connection, version.handle.as_bytes(), &[])?;
    connection
        .prepare_cached("INSERT INTO kms_key_versions (key_id, number, material, created_at) VALUES (?1, ?2, ?3, ?4)")?
        .execute((key.uuid(), version.number.get(), material, version.created_at.as_micros()))?;
    Ok(())
}
