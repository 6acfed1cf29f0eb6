use crate::entity::kms_key;
use crate::error::unread_row;
use crate::row::key::KeyVersionRow;
use rusqlite::{Connection, Row};
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::Key;
use strongroom_domain::port::ReadError;

const SQL: &str =
    "SELECT k.id, k.organisation, k.region, k.project, k.key_type, k.export_allowed, k.name, k.slug, k.metadata,
        k.rotation_enabled, k.rotation_days, k.status, k.purge_at, k.was_disabled, k.updated_at, k.object_version,
        k.revision, k.created_at, k.origin, k.allow_rotation, k.min_decryption_version, v.number, m.wrapped, v.created_at
    FROM kms_keys k JOIN kms_key_versions v ON v.key_id = k.id LEFT JOIN secret_materials m ON m.id = v.material
    WHERE k.id = ?1 ORDER BY v.number";

fn key_row(row: &Row<'_>) -> rusqlite::Result<kms_key::Model> {
    Ok(kms_key::Model {
        id: row.get(0)?,
        organisation: row.get(1)?,
        region: row.get(2)?,
        project: row.get(3)?,
        key_type: row.get(4)?,
        export_allowed: row.get(5)?,
        name: row.get(6)?,
        slug: row.get(7)?,
        metadata: row.get(8)?,
        rotation_enabled: row.get(9)?,
        rotation_days: row.get(10)?,
        status: row.get(11)?,
        purge_at: row.get(12)?,
        was_disabled: row.get(13)?,
        updated_at: row.get(14)?,
        object_version: row.get(15)?,
        revision: row.get(16)?,
        created_at: row.get(17)?,
        origin: row.get(18)?,
        allow_rotation: row.get(19)?,
        min_decryption_version: row.get(20)?,
    })
}

fn version_row(row: &Row<'_>) -> rusqlite::Result<KeyVersionRow> {
    Ok(KeyVersionRow { number: row.get(21)?, handle: row.get(22)?, created_at: row.get(23)? })
}

fn rows(connection: &Connection, id: KeyId) -> rusqlite::Result<Option<(kms_key::Model, Vec<KeyVersionRow>)>> {
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query([id.uuid()])?;
    let (mut key, mut versions) = (None, Vec::new());
    while let Some(row) = rows.next()? {
        if key.is_none() {
            key = Some(key_row(row)?);
        }
        versions.push(version_row(row)?);
    }
    Ok(key.map(|key| (key, versions)))
}

pub(in crate::sqlite) fn get(connection: &Connection, id: KeyId) -> Result<Option<Key>, ReadError> {
    let Some((key, versions)) = rows(connection, id).map_err(unread_row)? else { return Ok(None) };
    let versions = versions.into_iter().map(KeyVersionRow::read).collect::<Result<_, _>>()?;
    key.read(versions).map(Some)
}
