use super::{Lacks, advance_reader};
use crate::row;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;
use strongroom_domain::audit::{IndexEntry, LogReader};
use strongroom_domain::id::{EventId, StreamId};

/// The last record of the stream stays: what comes after it is chained to it.
pub(super) async fn apply(
    connection: &mut PgConnection,
    stream: StreamId,
    through: u64,
    entries: &[IndexEntry],
) -> Result<Lacks, sqlx::Error> {
    let Some(ordinal) = advance_reader::ordinal(connection, stream).await? else { return Ok(None) };
    let through = through.min(last(connection, ordinal).await?.saturating_sub(1));
    if through == 0 {
        return Ok(None);
    }
    let hash: Option<Vec<u8>> = sqlx::query_scalar("SELECT hash FROM audit_records WHERE position = $1")
        .bind(row::position(ordinal, through))
        .fetch_optional(&mut *connection)
        .await?;
    advance_reader::advance(connection, &LogReader::Retention, ordinal, through, hash).await?;
    sqlx::query("DELETE FROM audit_records WHERE position > $1 AND position <= $2")
        .bind(row::position(ordinal, 0))
        .bind(row::position(ordinal, through))
        .execute(&mut *connection)
        .await?;
    remove_lines(connection, ordinal, entries.iter().filter(|entry| entry.sequence <= through).collect()).await?;
    Ok(None)
}

/// The sequence of the stream's last record; 0 when it has none.
async fn last(connection: &mut PgConnection, ordinal: i64) -> Result<u64, sqlx::Error> {
    let last: Option<i64> = sqlx::query_scalar(
        "SELECT position FROM audit_records WHERE position > $1 AND position < $2 ORDER BY position DESC LIMIT 1",
    )
    .bind(row::position(ordinal, 0))
    .bind(row::position(ordinal + 1, 0))
    .fetch_optional(connection)
    .await?;
    Ok(last.map_or(0, row::sequence))
}

/// One look-up by index for each line, whatever the planner knows of the table. Lines are never updated, so their places stand.
async fn remove_lines(
    connection: &mut PgConnection,
    ordinal: i64,
    entries: Vec<&IndexEntry>,
) -> Result<(), sqlx::Error> {
    let lines = || entries.iter();
    sqlx::query(
        "DELETE FROM audit_index WHERE ctid = ANY(ARRAY(
             SELECT (SELECT i.ctid FROM audit_index AS i
                     WHERE i.organisation = line.organisation AND i.term = line.term AND i.at = line.at
                       AND i.event = line.event AND i.position = line.place)
             FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[], $5::bigint[])
                  AS line (organisation, term, at, event, place)))",
    )
    .bind(lines().map(|entry| row::organisation_column(entry.organisation)).bind_iter())
    .bind(lines().map(|entry| entry.term.get()).bind_iter())
    .bind(lines().map(|entry| entry.at.as_micros()).bind_iter())
    .bind(lines().map(|entry| EventId::uuid(entry.event)).bind_iter())
    .bind(lines().map(|entry| row::position(ordinal, entry.sequence)).bind_iter())
    .execute(connection)
    .await
    .map(|_| ())
}
