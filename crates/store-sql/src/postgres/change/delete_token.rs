use super::Lacks;
use sqlx::PgConnection;
use strongroom_domain::id::CredentialId;

pub(super) async fn apply(connection: &mut PgConnection, id: CredentialId) -> Result<Lacks, sqlx::Error> {
    sqlx::query("DELETE FROM tokens WHERE id = $1").bind(id.uuid()).execute(connection).await?;
    Ok(None)
}
