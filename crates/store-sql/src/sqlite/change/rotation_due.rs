//! When a key is rotated by itself, which the domain derives from the whole key.

use super::Refusal;
use crate::sqlite::hot;
use rusqlite::Connection;
use strongroom_domain::id::KeyId;
use strongroom_domain::time::Timestamp;

pub(super) fn refresh(connection: &Connection, key: KeyId) -> Result<(), Refusal> {
    let unread = |error| Refusal::Database(rusqlite::Error::ToSqlConversionFailure(Box::new(error)));
    let stored = hot::key::get(connection, key).map_err(unread)?;
    let due = stored.and_then(|key| key.rotation_due_at());
    connection
        .prepare_cached("UPDATE kms_keys SET rotation_due_at = ?2 WHERE id = ?1")?
        .execute((key.uuid(), due.map(Timestamp::as_micros)))?;
    Ok(())
}
