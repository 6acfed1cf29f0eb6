use super::Lacks;
use sqlx::PgConnection;
use strongroom_domain::root_key::SealedInstanceKey;

pub(super) async fn apply(
    connection: &mut PgConnection,
    before: &[u8],
    key: &SealedInstanceKey,
) -> Result<Lacks, sqlx::Error> {
    sqlx::query("UPDATE instance_keys SET sealed = $3 WHERE purpose = $1 AND version = $2 AND sealed = $4")
        .bind(key.purpose.as_str())
        .bind(i64::from(key.version))
        .bind(key.sealed.as_slice())
        .bind(before)
        .execute(connection)
        .await?;
    Ok(None)
}
