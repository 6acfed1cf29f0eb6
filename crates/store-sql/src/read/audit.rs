use crate::entity::{audit_record, audit_stream};
use crate::error::{corrupt, unread};
use crate::row::{array, number, position};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select};
use strongroom_domain::audit::{AuditRecord, ChainedRecord, Signature};
use strongroom_domain::id::{OrganisationId, RequestId, StreamId};
use strongroom_domain::port::ReadError;

pub(crate) async fn streams(db: &DatabaseConnection) -> Result<Vec<StreamId>, ReadError> {
    let query = audit_stream::Entity::find().order_by_asc(audit_stream::Column::Ordinal);
    let found = query.all(db).await.map_err(unread)?;
    Ok(found.into_iter().map(|row| StreamId::new(row.id)).collect())
}

pub(crate) async fn records(
    db: &DatabaseConnection,
    stream: StreamId,
    after: u64,
    limit: u32,
) -> Result<Vec<ChainedRecord>, ReadError> {
    let found = audit_stream::Entity::find().filter(audit_stream::Column::Id.eq(stream.uuid())).one(db).await;
    let Some(of) = found.map_err(unread)? else { return Ok(Vec::new()) };
    let query = audit_record::Entity::find()
        .filter(audit_record::Column::Position.gt(position(of.ordinal, after)))
        .filter(audit_record::Column::Position.lt(position(of.ordinal + 1, 0)))
        .order_by_asc(audit_record::Column::Position)
        .limit(u64::from(limit));
    query.all(db).await.map_err(unread)?.into_iter().map(|row| read(stream, row)).collect()
}

/// The outcome is written out, since a parameter would hide that the index on denials has them.
pub(super) fn denials(request: RequestId, organisation: OrganisationId) -> Select<audit_record::Entity> {
    audit_record::Entity::find()
        .filter(Expr::col("request_id").eq(request.uuid()))
        .filter(Expr::cust("outcome = 'denied'"))
        .filter(Expr::col("organisation").eq(organisation.uuid()))
        .order_by(Expr::col("at"), Order::Desc)
        .order_by_desc(audit_record::Column::Position)
        .limit(1)
}

pub(crate) async fn denied(
    db: &DatabaseConnection,
    request: RequestId,
    organisation: OrganisationId,
) -> Result<Option<AuditRecord>, ReadError> {
    let found = denials(request, organisation).one(db).await.map_err(unread)?;
    found.map(|row| decode(&row.canonical)).transpose()
}

fn decode(canonical: &[u8]) -> Result<AuditRecord, ReadError> {
    AuditRecord::from_canonical(canonical).map_err(|error| corrupt("audit record").because(error))
}

fn read(stream: StreamId, row: audit_record::Model) -> Result<ChainedRecord, ReadError> {
    let of = "audit record";
    let signature = match (row.signing_key_version, row.signature) {
        (Some(version), Some(bytes)) => {
            Some(Signature { key_version: number(version, of)?, bytes: array(&bytes, of)? })
        }
        (None, None) => None,
        _ => return Err(corrupt(of)),
    };
    Ok(ChainedRecord {
        stream,
        sequence: number(row.sequence, of)?,
        hash: array(&row.hash, of)?,
        signature,
        record: decode(&row.canonical)?,
        canonical: row.canonical,
    })
}
