use super::is_stream;
use crate::error::unread;
use crate::row::{self, LAST_ORDINAL, position};
use sea_orm::{DatabaseConnection, DbBackend, FromQueryResult, Statement};
use strongroom_domain::audit::{Behind, LogReader};
use strongroom_domain::id::StreamId;
use strongroom_domain::port::ReadError;
use uuid::Uuid;

/// Two look-ups for each stream: streams are as many as there were starts of nodes, and old ones stay as they are. The last position of the
/// last stream is the largest number there is. What no server wrote tells of nothing: a position or a place that can be none, and a position
/// behind the last record, since one statement sees both, records are there before a position, and the last one is never removed. Of
/// checkpoints that tells of records that are gone.
fn sql(backend: DbBackend) -> String {
    let checkpoints = LogReader::Checkpoints.name();
    let is_stream = is_stream(backend, "streams");
    format!(
        "SELECT id, CASE WHEN noted <= last OR $1 = '{checkpoints}' THEN noted ELSE 0 END AS through, last FROM (
             SELECT streams.ordinal, streams.id,
                    CASE WHEN CAST(positions.sequence AS BIGINT) > 0 THEN CAST(positions.sequence AS BIGINT) ELSE 0 END AS noted,
                    coalesce((SELECT records.position FROM audit_records AS records
                              WHERE records.position > streams.ordinal * $2
                                AND records.position <= streams.ordinal * $2 + ($2 - 1)
                              ORDER BY records.position DESC LIMIT 1) - streams.ordinal * $2, 0) AS last
             FROM audit_streams AS streams
             LEFT JOIN audit_positions AS positions ON positions.name = $1 AND positions.stream = streams.ordinal
             WHERE streams.ordinal > coalesce((SELECT before.ordinal FROM audit_streams AS before WHERE before.id = $3), -1)
               AND streams.ordinal <= $5 AND {is_stream}
         ) AS found
         WHERE last <> noted AND (last > 0 OR $1 = '{checkpoints}') ORDER BY ordinal LIMIT $4"
    )
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    through: i64,
    last: i64,
}

pub(crate) fn statement(backend: DbBackend, reader: &LogReader, after: Option<StreamId>, limit: u32) -> Statement {
    let after = after.map(StreamId::uuid);
    let values =
        [reader.name().into(), position(1, 0).into(), after.into(), i64::from(limit).into(), LAST_ORDINAL.into()];
    Statement::from_sql_and_values(backend, sql(backend), values)
}

pub(crate) async fn behind(
    db: &DatabaseConnection,
    reader: &LogReader,
    after: Option<StreamId>,
    limit: u32,
) -> Result<Vec<Behind>, ReadError> {
    let statement = statement(db.get_database_backend(), reader, after, limit);
    let rows = Row::find_by_statement(statement).all(db).await.map_err(unread)?;
    let read = |row: Row| {
        let of = "position in the audit log";
        Ok(Behind {
            stream: StreamId::new(row.id),
            through: row::number(row.through, of)?,
            end: row::number(row.last, of)?,
        })
    };
    rows.into_iter().map(read).collect()
}
