use crate::entity::{kms_key, kms_key_version};
use crate::error::{corrupt, unread};
use crate::row;
use crate::row::key::KeyVersionRow;
use sea_orm::sea_query::{Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbBackend, EntityTrait, FromQueryResult, Order, QueryFilter, QuerySelect, Select,
};
use std::cmp::Reverse;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::{Key, KeyStatus, KeySummary};
use strongroom_domain::port::{KeyCounts, KeyDue, KeyFilter, ReadError};
use strongroom_domain::scope::Scope;
use strongroom_domain::time::Timestamp;

fn of(scope: &Scope) -> Select<kms_key::Entity> {
    kms_key::Entity::find()
        .filter(kms_key::Column::Organisation.eq(scope.organisation.uuid()))
        .filter(kms_key::Column::Region.eq(scope.region.uuid()))
        .filter(kms_key::Column::Project.eq(row::project(scope)))
}

/// A key with one of its versions.
#[derive(FromQueryResult)]
struct Row {
    #[sea_orm(nested)]
    key: kms_key::Model,
    version: i64,
    handle: Option<Vec<u8>>,
    version_created_at: i64,
}

/// These keys, as [`Row`]s.
pub(super) fn with_versions(backend: DbBackend, keys: Select<kms_key::Entity>) -> Select<kms_key::Entity> {
    let handle = match backend {
        DbBackend::Sqlite => "(SELECT m.wrapped FROM secret_materials m WHERE m.id = kms_key_versions.material)",
        _ => "kms_key_versions.handle",
    };
    keys.inner_join(kms_key_version::Entity)
        .column_as(kms_key_version::Column::Number, "version")
        .expr_as(Expr::cust(handle), "handle")
        .column_as(kms_key_version::Column::CreatedAt, "version_created_at")
}

/// These keys by identity, in one statement.
async fn read(db: &DatabaseConnection, keys: Select<kms_key::Entity>) -> Result<Vec<Key>, ReadError> {
    let query = with_versions(db.get_database_backend(), keys);
    let mut rows = query.into_model::<Row>().all(db).await.map_err(unread)?;
    rows.sort_unstable_by_key(|row| (row.key.id, row.version));
    let mut keys: Vec<(kms_key::Model, Vec<_>)> = Vec::new();
    for Row { key, version, handle, version_created_at } in rows {
        let version = KeyVersionRow { number: version, handle, created_at: version_created_at }.read()?;
        match keys.last_mut() {
            Some((last, versions)) if last.id == key.id => versions.push(version),
            _ => keys.push((key, vec![version])),
        }
    }
    keys.into_iter().map(|(key, versions)| key.read(versions)).collect()
}

/// Live keys first, then those pending deletion, each newest first.
pub(crate) async fn list(db: &DatabaseConnection, scope: &Scope, filter: &KeyFilter) -> Result<Vec<Key>, ReadError> {
    let mut query = of(scope);
    if let Some(id) = filter.id {
        query = query.filter(kms_key::Column::Id.eq(id.uuid()));
    }
    if let Some(name) = &filter.name {
        query = query.filter(kms_key::Column::Name.eq(name));
    }
    if let Some(slug) = &filter.slug {
        query = query.filter(kms_key::Column::Slug.eq(slug));
    }
    let mut keys = read(db, query).await?;
    keys.sort_by_key(|key| (!key.is_live(), Reverse(key.created_at), Reverse(key.spec.id)));
    Ok(keys)
}

pub(crate) async fn summaries(db: &DatabaseConnection, ids: &[KeyId]) -> Result<Vec<KeySummary>, ReadError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let query = kms_key::Entity::find().filter(kms_key::Column::Id.is_in(ids.iter().map(|id| id.uuid())));
    query.all(db).await.map_err(unread)?.into_iter().map(kms_key::Model::summary).collect()
}

pub(crate) async fn counts(db: &DatabaseConnection, scope: &Scope, at: Timestamp) -> Result<KeyCounts, ReadError> {
    let query = of(scope)
        .select_only()
        .column(kms_key::Column::Status)
        .column_as(kms_key::Column::Id.count(), "count")
        .expr_as(Func::count(Expr::case(kms_key::Column::PurgeAt.lte(at.as_micros()), 1)), "purge_due")
        .group_by(kms_key::Column::Status);
    let rows: Vec<(String, i64, i64)> = query.into_tuple().all(db).await.map_err(unread)?;
    let mut counts = KeyCounts::default();
    let pending = KeyStatus::PendingDeletion { purge_at: row::at(0), was_disabled: false };
    for (status, count, due) in rows {
        let (count, due) = (row::number(count, "key count")?, row::number(due, "key count")?);
        match status.as_str() {
            name if name == KeyStatus::Active.as_str() => counts.active = count,
            name if name == KeyStatus::Disabled.as_str() => counts.disabled = count,
            name if name == pending.as_str() => {
                (counts.pending_deletion, counts.purge_due) = (count.saturating_sub(due), due);
            }
            _ => return Err(corrupt("key status")),
        }
    }
    Ok(counts)
}

/// Those of these identities.
pub(super) fn within(ids: SelectStatement) -> Select<kms_key::Entity> {
    kms_key::Entity::find().filter(kms_key::Column::Id.in_subquery(ids))
}

/// The identities of at most `limit` keys for which something is due, the longest due first.
pub(super) fn due_ids(what: KeyDue, at: Timestamp, limit: u32) -> SelectStatement {
    let date = match what {
        KeyDue::Rotation => "rotation_due_at",
        KeyDue::Purge => "purge_at",
    };
    let mut ids = Query::select();
    ids.column(kms_key::Column::Id)
        .from(kms_key::Entity)
        .and_where(Expr::col(date).lte(at.as_micros()))
        .order_by(date, Order::Asc)
        .order_by(kms_key::Column::Id, Order::Asc)
        .limit(u64::from(limit));
    ids
}

/// When that is due.
fn date(what: KeyDue, key: &Key) -> Option<Timestamp> {
    match (what, key.state.status) {
        (KeyDue::Rotation, _) => key.rotation_due_at(),
        (KeyDue::Purge, KeyStatus::PendingDeletion { purge_at, .. }) => Some(purge_at),
        (KeyDue::Purge, KeyStatus::Active | KeyStatus::Disabled) => None,
    }
}

pub(crate) async fn due(
    db: &DatabaseConnection,
    what: KeyDue,
    at: Timestamp,
    limit: u32,
) -> Result<Vec<Key>, ReadError> {
    let mut keys = read(db, within(due_ids(what, at, limit))).await?;
    keys.sort_by_key(|key| (date(what, key), key.spec.id));
    Ok(keys)
}

/// The identities of at most `limit` keys after `after`.
pub(super) fn ids_after(after: Option<KeyId>, limit: u32) -> SelectStatement {
    let mut ids = Query::select();
    ids.column(kms_key::Column::Id).from(kms_key::Entity);
    if let Some(after) = after {
        ids.and_where(kms_key::Column::Id.gt(after.uuid()));
    }
    ids.order_by(kms_key::Column::Id, Order::Asc).limit(u64::from(limit));
    ids
}

pub(crate) async fn all(db: &DatabaseConnection, after: Option<KeyId>, limit: u32) -> Result<Vec<Key>, ReadError> {
    read(db, within(ids_after(after, limit))).await
}
