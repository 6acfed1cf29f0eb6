use super::Refusal;
use rusqlite::Connection;
use strongroom_domain::root_key::SealedInstanceKey;

pub(super) fn apply(connection: &Connection, key: &SealedInstanceKey) -> Result<(), Refusal> {
    connection
        .prepare_cached("INSERT INTO instance_keys (purpose, version, sealed, public) VALUES (?1, ?2, ?3, ?4)")?
        .execute((key.purpose.as_str(), key.version, &key.sealed, key.public))?;
    Ok(())
}
