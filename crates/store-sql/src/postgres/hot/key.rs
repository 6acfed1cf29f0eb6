use super::{HotReads, arguments};
use crate::entity::kms_key;
use crate::postgres::failure::unread;
use crate::row::key::KeyVersionRow;
use sqlx::Row;
use sqlx::postgres::PgRow;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::Key;
use strongroom_domain::port::ReadError;

/// The key of identity `$1`, as [`read`] takes it.
pub(in crate::postgres) const SQL: &str =
    "SELECT k.id, k.organisation, k.region, k.project, k.key_type, k.export_allowed, k.name, k.slug, k.metadata,
        k.rotation_enabled, k.rotation_days, k.status, k.purge_at, k.was_disabled, k.updated_at, k.object_version,
        k.revision, k.created_at, k.origin, k.allow_rotation, k.min_decryption_version, v.number, v.handle, v.created_at
    FROM kms_keys k JOIN kms_key_versions v ON v.key_id = k.id
    WHERE k.id = $1 ORDER BY v.number";

fn key_row(row: &PgRow) -> sqlx::Result<kms_key::Model> {
    Ok(kms_key::Model {
        id: row.try_get(0)?,
        organisation: row.try_get(1)?,
        region: row.try_get(2)?,
        project: row.try_get(3)?,
        key_type: row.try_get(4)?,
        export_allowed: row.try_get(5)?,
        name: row.try_get(6)?,
        slug: row.try_get(7)?,
        metadata: row.try_get(8)?,
        rotation_enabled: row.try_get(9)?,
        rotation_days: row.try_get(10)?,
        status: row.try_get(11)?,
        purge_at: row.try_get(12)?,
        was_disabled: row.try_get(13)?,
        updated_at: row.try_get(14)?,
        object_version: row.try_get(15)?,
        revision: row.try_get(16)?,
        created_at: row.try_get(17)?,
        origin: row.try_get(18)?,
        allow_rotation: row.try_get(19)?,
        min_decryption_version: row.try_get(20)?,
    })
}

fn version_row(row: &PgRow) -> sqlx::Result<KeyVersionRow> {
    Ok(KeyVersionRow { number: row.try_get(21)?, handle: row.try_get(22)?, created_at: row.try_get(23)? })
}

pub(in crate::postgres) async fn get(hot: &HotReads, id: KeyId) -> Result<Option<Key>, ReadError> {
    read(&hot.rows(SQL, arguments![id.uuid()]).await?)
}

pub(in crate::postgres) fn read(rows: &[PgRow]) -> Result<Option<Key>, ReadError> {
    let Some(first) = rows.first() else { return Ok(None) };
    let version = |row| version_row(row).map_err(unread)?.read();
    let versions = rows.iter().map(version).collect::<Result<_, ReadError>>()?;
    key_row(first).map_err(unread)?.read(versions).map(Some)
}
