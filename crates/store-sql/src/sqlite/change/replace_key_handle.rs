use super::{Refusal, before, materials};
use crate::row;
use rusqlite::{Connection, OptionalExtension};
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::KeyVersion;
use strongroom_domain::unit::{AggregateId, Revision};

pub(super) fn apply(
    connection: &Connection,
    key: KeyId,
    version: &KeyVersion,
    revision: Revision,
) -> Result<(), Refusal> {
    let conflict = || before(AggregateId::Key(key), revision);
    let rows = connection
        .prepare_cached("UPDATE kms_keys SET revision = ?2 WHERE id = ?1 AND revision = ?2 - 1")?
        .execute((key.uuid(), row::column(revision.get())))?;
    if rows == 0 {
        return Err(conflict());
    }
    let (id, number) = (key.uuid(), version.number.get());
    let old: Option<i64> = connection
        .prepare_cached("SELECT material FROM kms_key_versions WHERE key_id = ?1 AND number = ?2")?
        .query_row((id, number), |row| row.get(0))
        .optional()?;
    materials::erase(connection, old.ok_or_else(conflict)?)?;
    let new = materials::store(connection, version.handle.as_bytes(), &[])?;
    connection
        .prepare_cached("UPDATE kms_key_versions SET material = ?3 WHERE key_id = ?1 AND number = ?2")?
        .execute((id, number, new))?;
    Ok(())
}
