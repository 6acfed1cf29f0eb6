use super::ordinal;
use crate::error::unread;
use crate::row::audit::{NAMES, around, columns, shown};
use crate::row::{position, sequence};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement};
use strongroom_domain::audit::{AuditRecord, Link};
use strongroom_domain::id::StreamId;
use strongroom_domain::port::ReadError;

/// Position, hash, signing key's version, signature and canonical bytes.
///
/// On SQLite anything may stand in any column but the position.
pub(super) const fn raw(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Sqlite => {
            "position, CAST(hash AS BLOB), CAST(signing_key_version AS INTEGER), CAST(signature AS BLOB),
             CAST(canonical AS BLOB)"
        }
        _ => "position, hash, signing_key_version, signature, canonical",
    }
}

/// The columns of [`raw`], then those beside them.
fn statement(backend: DbBackend, ordinal: i64, after: u64, limit: u32) -> Statement {
    let raw = raw(backend);
    let beside: Vec<String> = NAMES.iter().map(|name| shown(backend, name)).collect();
    let sql = format!(
        "SELECT {raw}, {} FROM audit_records WHERE position > $1 AND position < $2 ORDER BY position LIMIT $3",
        beside.join(", ")
    );
    // No writer gives a record the sequence 0; one that somebody put there is not to be passed over.
    let after = position(ordinal, after) - i64::from(after == 0);
    let values = [after.into(), around(ordinal).1.into(), i64::from(limit).into()];
    Statement::from_sql_and_values(backend, sql, values)
}

pub(crate) async fn links(
    db: &DatabaseConnection,
    stream: StreamId,
    after: u64,
    limit: u32,
) -> Result<Vec<Link>, ReadError> {
    let Some(ordinal) = ordinal(db, stream).await? else { return Ok(Vec::new()) };
    let backend = db.get_database_backend();
    let rows = db.query_all_raw(statement(backend, ordinal, after, limit)).await.map_err(unread)?;
    rows.iter().map(|row| read(backend, ordinal, row)).collect::<Result<_, _>>().map_err(unread)
}

/// What [`raw`] gave.
pub(super) fn bare(row: &QueryResult) -> Result<Link, DbErr> {
    let sequence = sequence(row.try_get_by_index(0)?);
    let bytes = |place| Ok::<_, DbErr>(row.try_get_by_index::<Option<Vec<u8>>>(place)?.unwrap_or_default());
    let canonical = bytes(4)?;
    let signature = match (row.try_get_by_index::<Option<i64>>(2)?, row.try_get_by_index::<Option<Vec<u8>>>(3)?) {
        (None, None) => None,
        // No key has version 0.
        (version, signature) => {
            Some((version.and_then(|version| u32::try_from(version).ok()).unwrap_or(0), signature.unwrap_or_default()))
        }
    };
    Ok(Link { sequence, hash: bytes(1)?, signature, canonical, differing: None })
}

fn read(backend: DbBackend, ordinal: i64, row: &QueryResult) -> Result<Link, DbErr> {
    let mut link = bare(row)?;
    if let Ok(record) = AuditRecord::from_canonical(&link.canonical) {
        let wanted = columns(backend, ordinal, link.sequence, &record);
        for (place, (name, cell)) in NAMES.into_iter().zip(&wanted).enumerate() {
            if row.try_get_by_index::<Option<String>>(RAW + place)? != cell.shown(backend) {
                link.differing = Some(name);
                break;
            }
        }
    }
    Ok(link)
}

/// How many columns come before those of [`NAMES`].
const RAW: usize = 5;

#[cfg(test)]
mod tests;
