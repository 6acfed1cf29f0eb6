use crate::error::unread;
use crate::row::{self, SEQUENCE_BITS};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement, Value};
use strongroom_domain::audit::{IndexEntry, Term};
use strongroom_domain::id::EventId;
use strongroom_domain::port::{ReadError, StoredLine};
use strongroom_domain::time::Timestamp;
use uuid::Uuid;

/// Whether the line can be read, the line, and the canonical bytes of the record that it leads to, of a stream that there is.
///
/// On SQLite anything may stand in any column.
pub(crate) fn statement(backend: DbBackend, after: Option<&IndexEntry>, limit: u32) -> Statement {
    let (is_readable, canonical) = match backend {
        DbBackend::Sqlite => (
            "CASE WHEN typeof(organisation) = 'blob' AND length(organisation) = 16 AND typeof(term) = 'integer'
                       AND typeof(at) = 'integer' AND typeof(event) = 'blob' AND length(event) = 16
                       AND typeof(position) = 'integer' THEN 1 ELSE 0 END",
            "CAST(canonical AS BLOB)",
        ),
        _ => ("1", "canonical"),
    };
    let mut values: Vec<Value> = vec![i64::from(limit).into()];
    let behind = after.map_or("", |after| {
        values.extend([
            Value::from(row::organisation_column(after.organisation)),
            after.term.get().into(),
            after.at.as_micros().into(),
            after.event.uuid().into(),
        ]);
        "WHERE (organisation, term, at, event) > ($2, $3, $4, $5)"
    });
    let sql = format!(
        "SELECT {is_readable}, organisation, term, at, event, position,
                (SELECT {canonical} FROM audit_records WHERE audit_records.position = audit_index.position
                   AND EXISTS (SELECT 1 FROM audit_streams
                               WHERE audit_streams.ordinal = audit_index.position >> {SEQUENCE_BITS}))
         FROM audit_index {behind} ORDER BY organisation, term, at, event LIMIT $1"
    );
    Statement::from_sql_and_values(backend, sql, values)
}

pub(crate) async fn index_lines(
    db: &DatabaseConnection,
    after: Option<&IndexEntry>,
    limit: u32,
) -> Result<Vec<StoredLine>, ReadError> {
    let rows = db.query_all_raw(statement(db.get_database_backend(), after, limit)).await.map_err(unread)?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in &rows {
        if let Some(line) = read(row).map_err(unread)? {
            lines.push(line);
        } else {
            lines.push(unreadable());
            break;
        }
    }
    Ok(lines)
}

fn read(row: &QueryResult) -> Result<Option<StoredLine>, DbErr> {
    if row.try_get_by_index::<i32>(0)? == 0 {
        return Ok(None);
    }
    let entry = IndexEntry {
        organisation: row::organisation(row.try_get_by_index(1)?),
        term: Term::new(row.try_get_by_index(2)?),
        at: row::at(row.try_get_by_index(3)?),
        event: EventId::new(row.try_get_by_index(4)?),
        sequence: row::sequence(row.try_get_by_index(5)?),
    };
    Ok(Some(StoredLine { entry, canonical: row.try_get_by_index(6)? }))
}

const fn unreadable() -> StoredLine {
    let (term, at, event) = (Term::new(0), Timestamp::from_micros(0), EventId::new(Uuid::nil()));
    StoredLine { entry: IndexEntry { organisation: None, term, at, event, sequence: 0 }, canonical: None }
}
