use super::{Lacks, advance_reader};
use crate::row;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;
use strongroom_domain::audit::{IndexEntry, LogReader};
use strongroom_domain::id::{EventId, StreamId};

pub(super) async fn apply(
    connection: &mut PgConnection,
    stream: StreamId,
    through: u64,
    entries: &[IndexEntry],
) -> Result<Lacks, sqlx::Error> {
    let Some(ordinal) = advance_reader::ordinal(connection, stream).await? else { return Ok(None) };
    let lines = || entries.iter();
    // In one order on every node: an insert waits for another of the same line.
    sqlx::query(
        "INSERT INTO audit_index (organisation, term, at, event, position)
         SELECT organisation, term, at, event, place
         FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[], $5::bigint[])
              AS line (organisation, term, at, event, place)
         ORDER BY organisation, term, at, event
         ON CONFLICT DO NOTHING",
    )
    .bind(lines().map(|entry| row::organisation_column(entry.organisation)).bind_iter())
    .bind(lines().map(|entry| entry.term.get()).bind_iter())
    .bind(lines().map(|entry| entry.at.as_micros()).bind_iter())
    .bind(lines().map(|entry| EventId::uuid(entry.event)).bind_iter())
    .bind(lines().map(|entry| row::position(ordinal, entry.sequence)).bind_iter())
    .execute(&mut *connection)
    .await?;
    advance_reader::advance(connection, &LogReader::Index, ordinal, through, None).await?;
    Ok(None)
}
