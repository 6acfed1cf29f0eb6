use super::decode;
use crate::entity::audit_record;
use crate::error::unread;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{DatabaseConnection, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select};
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::id::{OrganisationId, RequestId};
use strongroom_domain::port::ReadError;

/// The outcome is written out, since a parameter would hide that the index on denials has them.
pub(crate) fn statement(request: RequestId, organisation: OrganisationId) -> Select<audit_record::Entity> {
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
    let found = statement(request, organisation).one(db).await.map_err(unread)?;
    found.map(|row| decode(&row.canonical)).transpose()
}
