use super::Refusal;
use rusqlite::Connection;
use strongroom_domain::time::Timestamp;

pub(super) fn apply(connection: &Connection, before: Timestamp, limit: u32) -> Result<(), Refusal> {
    connection
        .prepare_cached(
            "DELETE FROM answers WHERE key IN
                 (SELECT key FROM answers WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
        )?
        .execute((before.as_micros(), limit))?;
    Ok(())
}
