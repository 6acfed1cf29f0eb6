use super::{Refusal, advance_reader};
use crate::row;
use rusqlite::{Connection, OptionalExtension};
use strongroom_domain::audit::{ChainHash, IndexEntry, LogReader};
use strongroom_domain::id::{EventId, StreamId};

/// The last record of the stream stays: what comes after it is chained to it.
pub(super) fn apply(
    connection: &Connection,
    stream: StreamId,
    through: u64,
    entries: &[IndexEntry],
) -> Result<(), Refusal> {
    let Some(ordinal) = advance_reader::ordinal(connection, stream)? else { return Ok(()) };
    let through = through.min(last(connection, ordinal)?.saturating_sub(1));
    if through == 0 {
        return Ok(());
    }
    let hash: Option<ChainHash> = connection
        .prepare_cached("SELECT hash FROM audit_records WHERE position = ?1")?
        .query_row([row::position(ordinal, through)], |row| row.get(0))
        .optional()?;
    connection
        .prepare_cached("DELETE FROM audit_records WHERE position > ?1 AND position <= ?2")?
        .execute([row::position(ordinal, 0), row::position(ordinal, through)])?;
    let mut delete = connection.prepare_cached(
        "DELETE FROM audit_index WHERE organisation = ?1 AND term = ?2 AND at = ?3 AND event = ?4 AND position = ?5",
    )?;
    let mut entries: Vec<&IndexEntry> = entries.iter().filter(|entry| entry.sequence <= through).collect();
    entries.sort_unstable();
    for entry in entries {
        delete.execute((
            row::organisation_column(entry.organisation),
            entry.term.get(),
            entry.at.as_micros(),
            EventId::uuid(entry.event),
            row::position(ordinal, entry.sequence),
        ))?;
    }
    advance_reader::advance(connection, &LogReader::Retention, ordinal, through, hash)
}

/// The sequence of the stream's last record; 0 when it has none.
fn last(connection: &Connection, ordinal: i64) -> rusqlite::Result<u64> {
    let last: Option<i64> = connection
        .prepare_cached(
            "SELECT position FROM audit_records WHERE position > ?1 AND position < ?2 ORDER BY position DESC LIMIT 1",
        )?
        .query_row([row::position(ordinal, 0), row::position(ordinal + 1, 0)], |row| row.get(0))
        .optional()?;
    Ok(last.map_or(0, row::sequence))
}
