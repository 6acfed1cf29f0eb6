use super::Refusal;
use crate::row;
use rusqlite::{Connection, OptionalExtension};
use strongroom_domain::audit::{ChainHash, LogReader};
use strongroom_domain::id::StreamId;

pub(super) fn apply(
    connection: &Connection,
    reader: &LogReader,
    stream: StreamId,
    through: u64,
) -> Result<(), Refusal> {
    match ordinal(connection, stream)? {
        Some(ordinal) => advance(connection, reader, ordinal, through, None),
        None => Ok(()),
    }
}

/// The stream's place among the streams; `None` when there is no such stream.
pub(super) fn ordinal(connection: &Connection, stream: StreamId) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT ordinal FROM audit_streams WHERE id = ?1")?
        .query_row([stream.uuid()], |row| row.get(0))
        .optional()
}

/// Notes a position, with the hash of the record there where that one goes. One that no server wrote doesn't count: what is no number, and one
/// behind the last record.
pub(super) fn advance(
    connection: &Connection,
    reader: &LogReader,
    ordinal: i64,
    through: u64,
    hash: Option<ChainHash>,
) -> Result<(), Refusal> {
    connection
        .prepare_cached(
            "INSERT INTO audit_positions (name, stream, sequence, hash) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name, stream) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash
             WHERE CAST(sequence AS INTEGER) < excluded.sequence
                OR CAST(sequence AS INTEGER) > coalesce((SELECT records.position FROM audit_records AS records
                                                         WHERE records.position > ?5 AND records.position <= ?6
                                                         ORDER BY records.position DESC LIMIT 1), ?5) - ?5",
        )?
        .execute((
            reader.name(),
            ordinal,
            row::column(through),
            hash,
            row::position(ordinal, 0),
            row::position(ordinal, row::MAX_SEQUENCE),
        ))?;
    Ok(())
}
