use super::{Lacks, states};
use crate::row;
use sqlx::PgConnection;
use strongroom_domain::id::SecretId;
use strongroom_domain::policy::AccessPolicy;
use strongroom_domain::secret::SecretState;

pub(super) async fn apply(
    connection: &mut PgConnection,
    secret: SecretId,
    policy: Option<&AccessPolicy>,
    state: &SecretState,
) -> Result<Lacks, sqlx::Error> {
    sqlx::query("UPDATE secrets SET policy = $2 WHERE id = $1")
        .bind(secret.uuid())
        .bind(policy.map(row::policy::encode))
        .execute(&mut *connection)
        .await?;
    states::replace(connection, secret, state).await
}
