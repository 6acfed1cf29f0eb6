use super::{Refusal, require_absent};
use crate::row;
use rusqlite::Connection;
use strongroom_domain::tenancy::Region;
use strongroom_domain::unit::UniqueKey;

pub(super) fn apply(connection: &Connection, region: &Region) -> Result<(), Refusal> {
    require_absent(connection, UniqueKey::RegionSlug(region.slug.clone()))?;
    connection
        .prepare_cached(
            "INSERT INTO regions (id, name, slug, description, kms_enabled, created_at, updated_at, object_version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            region.id.uuid(),
            &region.name,
            &region.slug,
            &region.description,
            region.kms_enabled,
            region.created_at.as_micros(),
            region.updated_at.as_micros(),
            row::column(region.object_version),
        ))?;
    Ok(())
}
