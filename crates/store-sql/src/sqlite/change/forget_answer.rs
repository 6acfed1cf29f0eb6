use super::Refusal;
use rusqlite::Connection;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::AnswerKey;

pub(super) fn apply(connection: &Connection, key: &AnswerKey, before: Timestamp) -> Result<(), Refusal> {
    connection
        .prepare_cached("DELETE FROM answers WHERE key = ?1 AND expires_at < ?2")?
        .execute((key.0, before.as_micros()))?;
    Ok(())
}
