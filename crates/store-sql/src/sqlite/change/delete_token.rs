use super::Refusal;
use rusqlite::Connection;
use strongroom_domain::id::CredentialId;

pub(super) fn apply(connection: &Connection, id: CredentialId) -> Result<(), Refusal> {
    connection.prepare_cached("DELETE FROM tokens WHERE id = ?1")?.execute([id.uuid()])?;
    Ok(())
}
