use super::{Refusal, materials};
use rusqlite::Connection;
use strongroom_domain::id::KeyId;

pub(super) fn apply(connection: &Connection, key: KeyId) -> Result<(), Refusal> {
    let id = [key.uuid()];
    let handles: Vec<i64> = connection
        .prepare_cached("SELECT material FROM kms_key_versions WHERE key_id = ?1")?
        .query_map(id, |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for handle in handles {
        materials::erase(connection, handle)?;
    }
    connection.prepare_cached("DELETE FROM kms_key_versions WHERE key_id = ?1")?.execute(id)?;
    connection.prepare_cached("DELETE FROM kms_keys WHERE id = ?1")?.execute(id)?;
    Ok(())
}
