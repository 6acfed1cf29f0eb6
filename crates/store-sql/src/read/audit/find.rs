use super::stream_rows;
use crate::entity::audit_stream;
use crate::error::unread;
use crate::row;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, QueryFilter, QueryResult, Statement, Value,
};
use std::collections::{BTreeSet, HashMap};
use strongroom_domain::audit::{IndexEntry, Term};
use strongroom_domain::id::{EventId, OrganisationId, StreamId};
use strongroom_domain::port::{ReadError, Window};
use uuid::Uuid;

/// The lines of a term within a window.
///
/// On SQLite anything may stand in any column; a line that somebody altered so that it can't be read must not hide others.
pub(super) fn lines(backend: DbBackend) -> String {
    let readable = match backend {
        DbBackend::Sqlite => {
            " AND typeof(at) = 'integer' AND typeof(event) = 'blob' AND length(event) = 16 AND typeof(position) = 'integer'"
        }
        _ => "",
    };
    format!("FROM audit_index WHERE organisation = $1 AND term = $2 AND at >= $3 AND (at, event) < ($4, $5){readable}")
}

/// What [`lines`] take, and a limit as `$6`.
pub(super) fn values(organisation: Option<OrganisationId>, term: Term, window: Window, limit: u32) -> [Value; 6] {
    [
        row::organisation_column(organisation).into(),
        term.get().into(),
        window.from.as_micros().into(),
        window.before.0.as_micros().into(),
        window.before.1.uuid().into(),
        i64::from(limit).into(),
    ]
}

pub(crate) fn statement(
    backend: DbBackend,
    organisation: Option<OrganisationId>,
    term: Term,
    window: Window,
    limit: u32,
) -> Statement {
    let sql = format!("SELECT at, event, position {} ORDER BY at DESC, event DESC LIMIT $6", lines(backend));
    Statement::from_sql_and_values(backend, sql, values(organisation, term, window, limit))
}

/// Streams never go, so that two statements see what one would.
pub(crate) async fn find(
    db: &DatabaseConnection,
    organisation: Option<OrganisationId>,
    term: Term,
    window: Window,
    limit: u32,
) -> Result<Vec<(IndexEntry, StreamId)>, ReadError> {
    let statement = statement(db.get_database_backend(), organisation, term, window, limit);
    let rows = db.query_all_raw(statement).await.map_err(unread)?;
    // Many lines are read to count what several lists have in common, so that each has to cost little.
    let read = |row: &QueryResult| {
        Ok((row.try_get_by_index(0)?, row.try_get_by_index::<Uuid>(1)?, row.try_get_by_index::<i64>(2)?))
    };
    let lines: Vec<(i64, Uuid, i64)> = rows.iter().map(read).collect::<Result<_, _>>().map_err(unread)?;
    let streams = streams(db, lines.iter().map(|(.., place)| place >> row::SEQUENCE_BITS).collect()).await?;
    let line = |(at, event, place): (i64, Uuid, i64)| {
        let (at, event, sequence) = (row::at(at), EventId::new(event), row::sequence(place));
        // A line that was altered may lead nowhere: to no record of a stream that isn't there.
        let stream = streams.get(&(place >> row::SEQUENCE_BITS)).copied().unwrap_or_default();
        (IndexEntry { organisation, term, at, event, sequence }, StreamId::new(stream))
    };
    Ok(lines.into_iter().map(line).collect())
}

async fn streams(db: &DatabaseConnection, ordinals: BTreeSet<i64>) -> Result<HashMap<i64, Uuid>, ReadError> {
    if ordinals.is_empty() {
        return Ok(HashMap::new());
    }
    let found = stream_rows(db).filter(audit_stream::Column::Ordinal.is_in(ordinals)).all(db).await;
    Ok(found.map_err(unread)?.into_iter().map(|row| (row.ordinal, row.id)).collect())
}
