//! When a key is rotated by itself, which the domain derives from the whole key.

use crate::postgres::hot;
use sqlx::PgConnection;
use strongroom_domain::id::KeyId;
use strongroom_domain::time::Timestamp;

pub(super) async fn refresh(connection: &mut PgConnection, key: KeyId) -> Result<(), sqlx::Error> {
    let rows = sqlx::query(hot::key::SQL).bind(key.uuid()).fetch_all(&mut *connection).await?;
    let stored = hot::key::read(&rows).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    sqlx::query("UPDATE kms_keys SET rotation_due_at = $2 WHERE id = $1")
        .bind(key.uuid())
        .bind(stored.and_then(|key| key.rotation_due_at()).map(Timestamp::as_micros))
        .execute(connection)
        .await?;
    Ok(())
}
