use super::decode;
use crate::entity::{audit_record, audit_stream};
use crate::error::unread;
use crate::row::{SEQUENCE_BITS, sequence};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select};
use std::collections::BTreeSet;
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::id::{OrganisationId, RequestId};
use strongroom_domain::port::ReadError;

/// How many records of one request are looked at, where some belong to no stream.
const LOOKED_AT: u64 = 16;

/// The outcome is written out, since a parameter would hide that the index on denials has them.
pub(crate) fn statement(request: RequestId, organisation: OrganisationId) -> Select<audit_record::Entity> {
    audit_record::Entity::find()
        .filter(Expr::col("request_id").eq(request.uuid()))
        .filter(Expr::cust("outcome = 'denied'"))
        .filter(Expr::col("organisation").eq(organisation.uuid()))
        .order_by(Expr::col("at"), Order::Desc)
        .order_by_desc(audit_record::Column::Position)
        .limit(LOOKED_AT)
}

pub(crate) async fn denied(
    db: &DatabaseConnection,
    request: RequestId,
    organisation: OrganisationId,
) -> Result<Option<AuditRecord>, ReadError> {
    let found = statement(request, organisation).all(db).await.map_err(unread)?;
    // What belongs to no stream, or stands before the first record of one, was never written by a server, and nobody verifies it.
    let of = |row: &audit_record::Model| row.position >> SEQUENCE_BITS;
    let streams: BTreeSet<i64> = found.iter().map(of).collect();
    let streams = audit_stream::Entity::find().filter(audit_stream::Column::Ordinal.is_in(streams)).all(db);
    let streams = streams.await.map_err(unread)?;
    let is_written = |row: &&audit_record::Model| {
        sequence(row.position) > 0 && streams.iter().any(|stream| stream.ordinal == of(row))
    };
    found.iter().find(is_written).map(|row| decode(&row.canonical)).transpose()
}
