use crate::entity::{kms_key, kms_key_version};
use crate::error::{corrupt, unread};
use crate::row;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QuerySelect, Select};
use std::cmp::Reverse;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::{Key, KeyStatus, KeySummary};
use strongroom_domain::port::{KeyCounts, KeyFilter, ReadError};
use strongroom_domain::scope::Scope;

fn of(scope: &Scope) -> Select<kms_key::Entity> {
    kms_key::Entity::find()
        .filter(kms_key::Column::Organisation.eq(scope.organisation.uuid()))
        .filter(kms_key::Column::Region.eq(scope.region.uuid()))
        .filter(kms_key::Column::Project.eq(row::project(scope)))
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
    let found = query.find_with_related(kms_key_version::Entity).all(db).await.map_err(unread)?;
    let mut keys = Vec::with_capacity(found.len());
    for (key, mut versions) in found {
        versions.sort_by_key(|version| version.number);
        let versions = versions.into_iter().map(kms_key_version::Model::read).collect::<Result<_, _>>()?;
        keys.push(key.read(versions)?);
    }
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

pub(crate) async fn counts(db: &DatabaseConnection, scope: &Scope) -> Result<KeyCounts, ReadError> {
    let query = of(scope)
        .select_only()
        .column(kms_key::Column::Status)
        .column_as(kms_key::Column::Id.count(), "count")
        .group_by(kms_key::Column::Status);
    let rows: Vec<(String, i64)> = query.into_tuple().all(db).await.map_err(unread)?;
    let mut counts = KeyCounts::default();
    let pending = KeyStatus::PendingDeletion { purge_at: row::at(0), was_disabled: false };
    for (status, count) in rows {
        let count = row::number(count, "key count")?;
        match status.as_str() {
            name if name == KeyStatus::Active.as_str() => counts.active = count,
            name if name == KeyStatus::Disabled.as_str() => counts.disabled = count,
            name if name == pending.as_str() => counts.pending_deletion = count,
            _ => return Err(corrupt("key status")),
        }
    }
    Ok(counts)
}
