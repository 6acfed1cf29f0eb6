use super::{Lacks, before, rotation_due};
use crate::row;
use sqlx::PgConnection;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::KeyState;
use strongroom_domain::unit::AggregateId;

pub(super) async fn apply(connection: &mut PgConnection, key: KeyId, state: KeyState) -> Result<Lacks, sqlx::Error> {
    let lacks = replace(connection, key, state).await?;
    if lacks.is_none() {
        rotation_due::refresh(connection, key).await?;
    }
    Ok(lacks)
}

/// A key that comes back from pending deletion holds its name and slug again unless another has taken one of them. When another node
/// takes one at this moment, the update violates a unique index, and finds the other key when it is repeated.
pub(super) async fn replace(connection: &mut PgConnection, key: KeyId, state: KeyState) -> Result<Lacks, sqlx::Error> {
    let (status, purge_at, was_disabled) = row::key::status_columns(state.status);
    let done = sqlx::query(
        "UPDATE kms_keys SET
             status = $2, purge_at = $3, was_disabled = $4, updated_at = $5, object_version = $6, revision = $7,
             rotation_enabled = $8, rotation_days = $9, min_decryption_version = $10,
             holds_name = $3 IS NULL AND NOT EXISTS (
                 SELECT FROM kms_keys other
                 WHERE other.organisation = kms_keys.organisation AND other.region = kms_keys.region
                   AND other.project = kms_keys.project AND (other.name = kms_keys.name OR other.slug = kms_keys.slug)
                   AND other.holds_name AND other.id <> kms_keys.id)
         WHERE id = $1 AND revision = $7 - 1",
    )
    .bind(key.uuid())
    .bind(status)
    .bind(purge_at)
    .bind(was_disabled)
    .bind(state.updated_at.as_micros())
    .bind(row::column(state.object_version))
    .bind(row::column(state.revision.get()))
    .bind(state.rotation.enabled)
    .bind(state.rotation.period_days.map(i64::from))
    .bind(i64::from(state.min_decryption_version.get()))
    .execute(connection)
    .await?;
    Ok((done.rows_affected() == 0).then(|| before(AggregateId::Key(key), state.revision)))
}
