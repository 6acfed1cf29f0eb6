use super::Refusal;
use rusqlite::Connection;
use strongroom_domain::root_key::SealedInstanceKey;

pub(super) fn apply(connection: &Connection, before: &[u8], key: &SealedInstanceKey) -> Result<(), Refusal> {
    connection
        .prepare_cached("UPDATE instance_keys SET sealed = ?3 WHERE purpose = ?1 AND version = ?2 AND sealed = ?4")?
        .execute((key.purpose.as_str(), key.version, &key.sealed, before))?;
    Ok(())
}
