use super::{Refusal, exists};
use crate::row;
use rusqlite::Connection;
use strongroom_domain::tenancy::Region;
use strongroom_domain::unit::{Expect, UniqueKey};

pub(super) fn apply(connection: &Connection, region: &Region) -> Result<(), Refusal> {
    let taken = || Refusal::Conflict(Expect::Absent(UniqueKey::RegionSlug(region.slug.clone())));
    let (id, slug) = (region.id.uuid(), &region.slug);
    if exists(connection, "SELECT 1 FROM regions WHERE slug = ?2 AND id <> ?1", (id, slug))? {
        return Err(taken());
    }
    let rows = connection
        .prepare_cached(
            "UPDATE regions SET name = ?2, slug = ?3, description = ?4, kms_enabled = ?5, created_at = ?6, updated_at = ?7, object_version = ?8 WHERE id = ?1",
        )?
        .execute((
            id,
            &region.name,
            slug,
            &region.description,
            region.kms_enabled,
            region.created_at.as_micros(),
            region.updated_at.as_micros(),
            row::column(region.object_version),
        ))?;
    // Regions are never removed: whoever replaces one that isn't there is refused, not answered as if it were stored.
    if rows == 0 { Err(taken()) } else { Ok(()) }
}
