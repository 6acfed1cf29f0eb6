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

/// Notes a position, with the hash of the record there where that one goes.
pub(super) async fn advance(
    connection: &mut PgConnection,
    reader: &LogReader,
    ordinal: i64,
    through: u64,
    hash: Option<Vec<u8>>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO audit_positions (name, stream, sequence, hash) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name, stream) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash
         WHERE audit_positions.sequence < excluded.sequence",
    )
    .bind(reader.name())
    .bind(ordinal)
    .bind(row::column(through))
    .bind(hash)
    .execute(connection)
    .await
    .map(|_| ())
}
