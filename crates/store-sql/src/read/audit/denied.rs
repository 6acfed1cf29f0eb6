use super::decode;
use crate::error::unread;
use crate::row::{MAX_SEQUENCE, SEQUENCE_BITS};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::id::{OrganisationId, RequestId};
use strongroom_domain::port::ReadError;

/// How many records of one request are looked at, where some can't be read.
const LOOKED_AT: u32 = 100;

/// What belongs to no stream, or stands before the first record of one, was never written by a server, and nobody verifies it. It is not in
/// the way of what was, and neither are columns beside the record.
///
/// The outcome is written out, since a parameter would hide that the index on denials has them. On SQLite anything may stand in any column.
pub(crate) fn statement(backend: DbBackend, request: RequestId, organisation: OrganisationId) -> Statement {
    let canonical = match backend {
        DbBackend::Sqlite => "CAST(canonical AS BLOB)",
        _ => "canonical",
    };
    let sql = format!(
        "SELECT {canonical} FROM audit_records
         WHERE request_id = $1 AND outcome = 'denied' AND organisation = $2 AND position & {MAX_SEQUENCE} > 0
           AND (SELECT streams.ordinal FROM audit_streams AS streams
                WHERE streams.ordinal = audit_records.position >> {SEQUENCE_BITS}) IS NOT NULL
         ORDER BY at DESC, position DESC LIMIT {LOOKED_AT}"
    );
    Statement::from_sql_and_values(backend, sql, [request.uuid().into(), organisation.uuid().into()])
}

pub(crate) async fn denied(
    db: &DatabaseConnection,
    request: RequestId,
    organisation: OrganisationId,
) -> Result<Option<AuditRecord>, ReadError> {
    let statement = statement(db.get_database_backend(), request, organisation);
    let mut damaged = None;
    for row in db.query_all_raw(statement).await.map_err(unread)? {
        let canonical: Option<Vec<u8>> = row.try_get_by_index(0).map_err(unread)?;
        match decode(&canonical.unwrap_or_default()) {
            Ok(record) => return Ok(Some(record)),
            Err(error) => damaged = damaged.or(Some(error)),
        }
    }
    damaged.map_or(Ok(None), Err)
}
