use super::{Refusal, before, materials, replace_state};
use crate::row;
use rusqlite::{Connection, OptionalExtension};
use strongroom_domain::id::SecretId;
use strongroom_domain::secret::SecretState;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::AggregateId;
use strongroom_domain::version::VersionNumber;

pub(super) fn apply(
    connection: &Connection,
    secret: SecretId,
    version: VersionNumber,
    at: Timestamp,
    state: SecretState,
) -> Result<(), Refusal> {
    replace_state(connection, secret, state)?;
    let number = row::column(version.get());
    let material: Option<Option<i64>> = connection
        .prepare_cached("SELECT material FROM secret_versions WHERE secret = ?1 AND number = ?2")?
        .query_row((secret.uuid(), number), |row| row.get(0))
        .optional()?;
    let material = material.flatten().ok_or_else(|| before(AggregateId::Secret(secret), state.revision))?;
    materials::erase(connection, material)?;
    connection
        .prepare_cached(
            "UPDATE secret_versions SET material = NULL, destroyed_at = ?3 WHERE secret = ?1 AND number = ?2",
        )?
        .execute((secret.uuid(), number, at.as_micros()))?;
    connection.prepare_cached("UPDATE answers SET body = ?3 WHERE secret = ?1 AND version = ?2")?.execute((
        secret.uuid(),
        number,
        row::NO_DIGEST,
    ))?;
    Ok(())
}
