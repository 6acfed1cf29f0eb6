use super::{Refusal, replace_key_state};
use rusqlite::Connection;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::{KeyState, KeyVersion};

pub(super) fn apply(connection: &Connection, key: KeyId, version: &KeyVersion, state: KeyState) -> Result<(), Refusal> {
    replace_key_state::apply(connection, key, state)?;
    insert(connection, key, version)
}

pub(super) fn insert(connection: &Connection, key: KeyId, version: &KeyVersion) -> Result<(), Refusal> {
    connection
        .prepare_cached("INSERT INTO kms_key_versions (key_id, number, handle, created_at) VALUES (?1, ?2, ?3, ?4)")?
        .execute((key.uuid(), version.number.get(), version.handle.as_bytes(), version.created_at.as_micros()))?;
    Ok(())
}
