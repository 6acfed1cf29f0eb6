use super::{Lacks, states};
use crate::row;
use sqlx::PgConnection;
use strongroom_domain::id::SecretId;
use strongroom_domain::metadata::Metadata;
use strongroom_domain::secret::SecretState;

pub(super) async fn apply(
    connection: &mut PgConnection,
    secret: SecretId,
    metadata: &Metadata,
    state: &SecretState,
) -> Result<Lacks, sqlx::Error> {
    sqlx::query("UPDATE secrets SET metadata = $2 WHERE id = $1")
        .bind(secret.uuid())
        .bind(row::metadata::encode(metadata))
        .execute(&mut *connection)
        .await?;
    states::replace(connection, secret, state).await
}
