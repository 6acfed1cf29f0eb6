use super::{decode, ordinal, stream_rows};
use crate::entity::{audit_record, audit_stream};
use crate::error::{corrupt, unread};
use crate::row::audit::around;
use crate::row::{array, number, position, sequence};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use strongroom_domain::audit::{ChainedRecord, Signature};
use strongroom_domain::id::StreamId;
use strongroom_domain::port::ReadError;

pub(crate) async fn streams(db: &DatabaseConnection) -> Result<Vec<StreamId>, ReadError> {
    let query = stream_rows(db).order_by_asc(audit_stream::Column::Ordinal);
    let found = query.all(db).await.map_err(unread)?;
    Ok(found.into_iter().map(|row| StreamId::new(row.id)).collect())
}

pub(crate) async fn records(
    db: &DatabaseConnection,
    stream: StreamId,
    after: u64,
    limit: u32,
) -> Result<Vec<ChainedRecord>, ReadError> {
    let Some(of) = ordinal(db, stream).await? else { return Ok(Vec::new()) };
    let query = audit_record::Entity::find()
        .filter(audit_record::Column::Position.gt(position(of, after)))
        .filter(audit_record::Column::Position.lt(around(of).1))
        .order_by_asc(audit_record::Column::Position)
        .limit(u64::from(limit));
    query.all(db).await.map_err(unread)?.into_iter().map(|row| read(stream, row)).collect()
}

fn read(stream: StreamId, row: audit_record::Model) -> Result<ChainedRecord, ReadError> {
    let of = "audit record";
    // The place is what readers go by; the column beside it may say anything.
    if number::<u64>(row.sequence, of)? != sequence(row.position) {
        return Err(corrupt(of));
    }
    let signature = match (row.signing_key_version, row.signature) {
        (Some(version), Some(bytes)) => {
            Some(Signature { key_version: number(version, of)?, bytes: array(&bytes, of)? })
        }
        (None, None) => None,
        _ => return Err(corrupt(of)),
    };
    Ok(ChainedRecord {
        stream,
        sequence: sequence(row.position),
        hash: array(&row.hash, of)?,
        signature,
        record: decode(&row.canonical)?,
        canonical: row.canonical,
    })
}
