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

/// Notes a position, with the hash of the record there where that one goes.
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
             WHERE sequence < excluded.sequence",
        )?
        .execute((reader.name(), ordinal, row::column(through), hash))?;
    Ok(())
}
