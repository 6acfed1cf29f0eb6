use super::Lacks;
use crate::row;
use sqlx::PgConnection;
use strongroom_domain::tenancy::Region;
use strongroom_domain::unit::{Expect, UniqueKey};

/// When another node takes the slug at this moment, the update violates a unique index, and finds it taken when it is repeated. Regions
/// are never removed: whoever replaces one that isn't there is refused, not answered as if it were stored.
pub(super) async fn apply(connection: &mut PgConnection, region: &Region) -> Result<Lacks, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE regions SET name = $2, slug = $3, description = $4, kms_enabled = $5, created_at = $6, updated_at = $7, object_version = $8
         WHERE id = $1 AND NOT EXISTS (SELECT FROM regions other WHERE other.slug = $3 AND other.id <> $1)",
    )
    .bind(region.id.uuid())
    .bind(region.name.as_str())
    .bind(region.slug.as_str())
    .bind(region.description.as_str())
    .bind(region.kms_enabled)
    .bind(region.created_at.as_micros())
    .bind(region.updated_at.as_micros())
    .bind(row::column(region.object_version))
    .execute(connection)
    .await?;
    let taken = || Expect::Absent(UniqueKey::RegionSlug(region.slug.clone()));
    Ok((done.rows_affected() == 0).then(taken))
}
