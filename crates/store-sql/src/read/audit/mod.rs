//! The audit log: its streams, its index, its checkpoints.

mod at;
mod behind;
mod checkpoints;
mod count;
mod denied;
mod find;
mod index_lines;
mod indexed;
mod links;
mod records;

pub(crate) use at::at;
#[cfg(test)]
pub(super) use at::{statement as at_statement, streams_query};
pub(crate) use behind::behind;
#[cfg(test)]
pub(super) use behind::statement as behind_statement;
pub(crate) use checkpoints::{before as checkpoints_before, checkpoints, last as last_checkpoint};
pub(crate) use count::count;
#[cfg(test)]
pub(super) use count::statement as count_statement;
pub(crate) use denied::denied;
#[cfg(test)]
pub(super) use denied::statement as denials;
pub(crate) use find::find;
#[cfg(test)]
pub(super) use find::statement as find_statement;
pub(crate) use index_lines::index_lines;
#[cfg(test)]
pub(super) use index_lines::statement as index_lines_statement;
pub(crate) use indexed::indexed;
#[cfg(test)]
pub(super) use indexed::statement as indexed_statement;
pub(crate) use links::links;
pub(crate) use records::{records, streams};

use crate::entity::audit_stream;
use crate::error::{corrupt, unread};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseConnection, DbBackend, EntityTrait, QueryFilter, Select};
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::id::StreamId;
use strongroom_domain::port::ReadError;

/// The stream's place among the streams; `None` when there is no such stream.
async fn ordinal(db: &DatabaseConnection, stream: StreamId) -> Result<Option<i64>, ReadError> {
    let found = audit_stream::Entity::find().filter(audit_stream::Column::Id.eq(stream.uuid())).one(db).await;
    Ok(found.map_err(unread)?.map(|row| row.ordinal))
}

/// Whether a row of `audit_streams`, by this name in its statement, can be read. On SQLite anything may stand in place of an id; whoever put it
/// there must not hide other streams.
fn is_stream(backend: DbBackend, streams: &str) -> String {
    match backend {
        DbBackend::Sqlite => format!("typeof({streams}.id) = 'blob' AND length({streams}.id) = 16"),
        _ => "true".to_owned(),
    }
}

/// The streams that can be read.
fn stream_rows(db: &DatabaseConnection) -> Select<audit_stream::Entity> {
    audit_stream::Entity::find().filter(Expr::cust(is_stream(db.get_database_backend(), "audit_streams")))
}

fn decode(canonical: &[u8]) -> Result<AuditRecord, ReadError> {
    AuditRecord::from_canonical(canonical).map_err(|error| corrupt("audit record").because(error))
}
