use super::Lacks;
use sqlx::PgConnection;
use strongroom_domain::time::Timestamp;

/// An answer that is being forgotten elsewhere is not waited for.
pub(super) async fn apply(connection: &mut PgConnection, before: Timestamp, limit: u32) -> Result<Lacks, sqlx::Error> {
    sqlx::query(
        "DELETE FROM answers WHERE key IN
             (SELECT key FROM answers WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind(before.as_micros())
    .bind(i64::from(limit))
    .execute(connection)
    .await?;
    Ok(None)
}
