use super::Lacks;
use sqlx::PgConnection;
use strongroom_domain::unit::AnswerKey;

pub(super) async fn apply(connection: &mut PgConnection, key: &AnswerKey) -> Result<Lacks, sqlx::Error> {
    sqlx::query("DELETE FROM answers WHERE key = $1").bind(key.0.as_slice()).execute(connection).await?;
    Ok(None)
}
