use super::Lacks;
use sqlx::PgConnection;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::AnswerKey;

pub(super) async fn apply(
    connection: &mut PgConnection,
    key: &AnswerKey,
    before: Timestamp,
) -> Result<Lacks, sqlx::Error> {
    sqlx::query("DELETE FROM answers WHERE key = $1 AND expires_at < $2")
        .bind(key.0.as_slice())
        .bind(before.as_micros())
        .execute(connection)
        .await?;
    Ok(None)
}
