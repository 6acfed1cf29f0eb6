use super::{Lacks, replace_key_state, rotation_due};
use sqlx::PgConnection;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::{KeyState, KeyVersion};

pub(super) async fn apply(
    connection: &mut PgConnection,
    key: KeyId,
    version: &KeyVersion,
    state: KeyState,
) -> Result<Lacks, sqlx::Error> {
    let lacks = replace_key_state::replace(connection, key, state).await?;
    if lacks.is_none() {
        insert(connection, key, version).await?;
        rotation_due::refresh(connection, key).await?;
    }
    Ok(lacks)
}

pub(super) async fn insert(connection: &mut PgConnection, key: KeyId, version: &KeyVersion) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO kms_key_versions (key_id, number, handle, created_at) VALUES ($1, $2, $3, $4)")
        .bind(key.uuid())
        .bind(i64::from(version.number.get()))
        .bind(version.handle.as_bytes())
        .bind(version.created_at.as_micros())
        .execute(connection)
        .await?;
    Ok(())
}
