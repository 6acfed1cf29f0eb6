use super::Lacks;
use crate::row;
use sqlx::PgConnection;
use strongroom_domain::tenancy::Region;
use strongroom_domain::unit::{Expect, UniqueKey};

pub(super) async fn apply(connection: &mut PgConnection, region: &Region) -> Result<Lacks, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO regions (id, name, slug, description, kms_enabled, created_at, updated_at, object_version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (slug) DO NOTHING",
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
