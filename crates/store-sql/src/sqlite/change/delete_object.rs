use super::Refusal;
use rusqlite::Connection;
use strongroom_domain::directory::ObjectKind;
use uuid::Uuid;

pub(super) fn apply(connection: &Connection, kind: ObjectKind, id: Uuid) -> Result<(), Refusal> {
    connection
        .prepare_cached("DELETE FROM directory_objects WHERE id = ?1 AND kind = ?2")?
        .execute((id, kind.as_str()))?;
    Ok(())
}
