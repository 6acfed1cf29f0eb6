use super::{Refusal, advance_reader};
use crate::row;
use rusqlite::Connection;
use strongroom_domain::audit::{IndexEntry, LogReader};
use strongroom_domain::id::{EventId, StreamId};

pub(super) fn apply(
    connection: &Connection,
    stream: StreamId,
    through: u64,
    entries: &[IndexEntry],
) -> Result<(), Refusal> {
    let Some(ordinal) = advance_reader::ordinal(connection, stream)? else { return Ok(()) };
    let mut insert = connection.prepare_cached(
        "INSERT INTO audit_index (organisation, term, at, event, position) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
    )?;
    // In the order of the table, so that neighbours are written together.
    let mut entries: Vec<&IndexEntry> = entries.iter().collect();
    entries.sort_unstable();
    for entry in entries {
        insert.execute((
            row::organisation_column(entry.organisation),
            entry.term.get(),
            entry.at.as_micros(),
            EventId::uuid(entry.event),
            row::position(ordinal, entry.sequence),
        ))?;
    }
    advance_reader::advance(connection, &LogReader::Index, ordinal, through, None)
}
