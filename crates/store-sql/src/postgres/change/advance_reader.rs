use super::Lacks;
use crate::row;
use sqlx::PgConnection;
use strongroom_domain::audit::LogReader;
use strongroom_domain::id::StreamId;

pub(super) async fn apply(
    connection: &mut PgConnection,
    reader: &LogReader,
    stream: StreamId,
    through: u64,
) -> Result<Lacks, sqlx::Error> {
    if let Some(ordinal) = ordinal(connection, stream).await? {
        advance(connection, reader, ordinal, through, None).await?;
    }
    Ok(None)
}

/// The stream's place among the streams; `None` when there is no such stream.
pub(super) async fn ordinal(connection: &mut PgConnection, stream: StreamId) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT ordinal FROM audit_streams WHERE id = $1")
        .bind(stream.uuid())
        .fetch_optional(connection)
        .await
}

/// Sets a position which no server wrote: one behind the last record of its stream. To be made after the statement that lets positions rise, in
/// its transaction: that one holds the row, so that this one sees all records that others wrote before they noted them. The last position of
/// the last stream is the largest number there is.
const BEYOND_THE_LAST: &str = "UPDATE audit_positions SET sequence = $3, hash = $4
     WHERE name = $1 AND stream = $2 AND sequence > $3
       AND sequence > coalesce((SELECT records.position FROM audit_records AS records
                                WHERE records.position > $2 * $5 AND records.position <= $2 * $5 + ($5 - 1)
                                ORDER BY records.position DESC LIMIT 1) - $2 * $5, 0)";

/// Notes a position, with the hash of the record there where that one goes.
pub(super) async fn advance(
    connection: &mut PgConnection,
    reader: &LogReader,
    ordinal: i64,
    through: u64,
    hash: Option<Vec<u8>>,
) -> Result<(), sqlx::Error> {
    let noted = sqlx::query(
        "INSERT INTO audit_positions (name, stream, sequence, hash) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name, stream) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash
         WHERE audit_positions.sequence < excluded.sequence",
    )
    .bind(reader.name())
    .bind(ordinal)
    .bind(row::column(through))
    .bind(hash.as_deref())
    .execute(&mut *connection)
    .await?;
    if noted.rows_affected() == 0 {
        sqlx::query(BEYOND_THE_LAST)
            .bind(reader.name())
            .bind(ordinal)
            .bind(row::column(through))
            .bind(hash)
            .bind(row::position(1, 0))
            .execute(connection)
            .await?;
    }
    Ok(())
}
