use super::Lacks;
use sqlx::PgConnection;
use strongroom_domain::id::KeyId;

pub(super) async fn apply(connection: &mut PgConnection, key: KeyId) -> Result<Lacks, sqlx::Error> {
    for sql in ["DELETE FROM kms_key_versions WHERE key_id = $1", "DELETE FROM kms_keys WHERE id = $1"] {
        sqlx::query(sql).bind(key.uuid()).execute(&mut *connection).await?;
    }
    Ok(None)
}
