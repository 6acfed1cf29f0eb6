use crate::entity::{organisation, region};
use crate::error::unread;
use crate::row::{at, metadata, number};
use sea_orm::{ColumnTrait, Condition, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder};
use strongroom_domain::id::{OrganisationId, RegionId};
use strongroom_domain::port::ReadError;
use strongroom_domain::tenancy::{Gates, Organisation, Region};
use strongroom_domain::unit::Revision;

fn read(row: organisation::Model) -> Result<Organisation, ReadError> {
    Ok(Organisation {
        id: OrganisationId::new(row.id),
        name: row.name,
        slug: row.slug,
        metadata: row.metadata.as_deref().map(metadata::decode).transpose()?.unwrap_or_default(),
        gates: Gates { secrets: row.gate_secrets, kms: row.gate_kms, projects: row.gate_projects },
        created_at: at(row.created_at),
        updated_at: row.updated_at.map(at),
        object_version: number(row.object_version, "organisation")?,
        revision: Revision::new(number(row.revision, "organisation")?),
    })
}

pub(crate) async fn organisation(db: &DatabaseConnection, name: &str) -> Result<Option<Organisation>, ReadError> {
    let id = name.parse().ok().map(OrganisationId::uuid);
    let named = Condition::any()
        .add(organisation::Column::Slug.eq(name))
        .add_option(id.map(|id| organisation::Column::Id.eq(id)));
    let mut found = organisation::Entity::find().filter(named).all(db).await.map_err(unread)?;
    found.sort_by_key(|row| Some(row.id) != id);
    found.into_iter().next().map(read).transpose()
}

pub(crate) async fn organisation_by_id(
    db: &DatabaseConnection,
    id: OrganisationId,
) -> Result<Option<Organisation>, ReadError> {
    let found = organisation::Entity::find_by_id(id.uuid()).one(db).await.map_err(unread)?;
    found.map(read).transpose()
}

pub(crate) async fn organisations(db: &DatabaseConnection) -> Result<Vec<Organisation>, ReadError> {
    let found = organisation::Entity::find().order_by_asc(organisation::Column::Slug).all(db).await.map_err(unread)?;
    found.into_iter().map(read).collect()
}

pub(crate) async fn regions(db: &DatabaseConnection) -> Result<Vec<Region>, ReadError> {
    let found = region::Entity::find().order_by_asc(region::Column::Slug).all(db).await.map_err(unread)?;
    let read = |row: region::Model| Region {
        id: RegionId::new(row.id),
        name: row.name,
        slug: row.slug,
        description: row.description,
        kms_enabled: row.kms_enabled,
        created_at: at(row.created_at),
        updated_at: at(row.updated_at),
        object_version: u64::try_from(row.object_version).unwrap_or(1),
    };
    Ok(found.into_iter().map(read).collect())
}
