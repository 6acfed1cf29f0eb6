use super::Refusal;
use rusqlite::Connection;
use strongroom_domain::unit::AnswerKey;

pub(super) fn apply(connection: &Connection, key: &AnswerKey) -> Result<(), Refusal> {
    connection.prepare_cached("DELETE FROM answers WHERE key = ?1")?.execute([key.0])?;
    Ok(())
}
