use super::{Refusal, materials};
use crate::row;
use rusqlite::{Connection, OptionalExtension};
use strongroom_domain::id::SecretId;
use strongroom_domain::secret::WrappedKey;
use strongroom_domain::version::VersionNumber;

pub(super) fn apply(
    connection: &Connection,
    secret: SecretId,
    version: VersionNumber,
    before: &WrappedKey,
    after: &WrappedKey,
) -> Result<(), Refusal> {
    let of = (secret.uuid(), row::column(version.get()));
    let material: Option<i64> = connection
        .prepare_cached(
            "SELECT m.id FROM secret_versions v JOIN secret_materials m ON m.id = v.material
             WHERE v.secret = ?1 AND v.number = ?2 AND v.key_version = ?3 AND m.wrapped = ?4",
        )?
        .query_row((of.0, of.1, before.key_version.get(), &before.bytes), |row| row.get(0))
        .optional()?;
    let Some(material) = material else { return Ok(()) };
    let material = materials::rewrap(connection, material, &before.bytes, &after.bytes)?;
    connection
        .prepare_cached("UPDATE secret_versions SET key_version = ?3, material = ?4 WHERE secret = ?1 AND number = ?2")?
        .execute((of.0, of.1, after.key_version.get(), material))?;
    Ok(())
}
