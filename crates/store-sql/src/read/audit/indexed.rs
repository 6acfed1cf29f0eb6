use super::ordinal;
use crate::error::unread;
use crate::row;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, Value};
use strongroom_domain::audit::IndexEntry;
use strongroom_domain::id::StreamId;
use strongroom_domain::port::ReadError;

/// How many lines one statement names.
const MOST: usize = 256;
/// How many columns a line is found by.
const COLUMNS: usize = 5;

/// A look-up for each line, in their order.
pub(crate) fn statement(backend: DbBackend, ordinal: i64, entries: &[IndexEntry]) -> Statement {
    let mut values: Vec<Value> = Vec::with_capacity(entries.len() * COLUMNS);
    let mut lines = Vec::with_capacity(entries.len());
    for (place, entry) in entries.iter().enumerate() {
        let [a, b, c, d, e] = [1, 2, 3, 4, 5].map(|column| place * COLUMNS + column);
        lines.push(format!("({place}, ${a}, ${b}, ${c}, ${d}, ${e})"));
        values.extend([
            row::organisation_column(entry.organisation).into(),
            entry.term.get().into(),
            entry.at.as_micros().into(),
            entry.event.uuid().into(),
            row::position(ordinal, entry.sequence).into(),
        ]);
    }
    let sql = format!(
        "WITH line (n, organisation, term, at, event, place) AS (VALUES {})
         SELECT coalesce((SELECT 1 FROM audit_index AS i
                          WHERE i.organisation = line.organisation AND i.term = line.term AND i.at = line.at
                            AND i.event = line.event AND i.position = line.place), 0)
         FROM line ORDER BY n",
        lines.join(", ")
    );
    Statement::from_sql_and_values(backend, sql, values)
}

pub(crate) async fn indexed(
    db: &DatabaseConnection,
    stream: StreamId,
    entries: &[IndexEntry],
) -> Result<Vec<bool>, ReadError> {
    let Some(ordinal) = ordinal(db, stream).await? else { return Ok(vec![false; entries.len()]) };
    let mut found = Vec::with_capacity(entries.len());
    for entries in entries.chunks(MOST) {
        let rows = db.query_all_raw(statement(db.get_database_backend(), ordinal, entries)).await.map_err(unread)?;
        for row in rows {
            let is_there: i32 = row.try_get_by_index(0).map_err(unread)?;
            found.push(is_there == 1);
        }
    }
    Ok(found)
}
