use super::{Lacks, states};
use crate::row;
use core::num::NonZeroU32;
use sqlx::PgConnection;
use strongroom_domain::id::SecretId;
use strongroom_domain::metadata::Metadata;
use strongroom_domain::secret::SecretState;

pub(super) async fn apply(
    connection: &mut PgConnection,
    secret: SecretId,
    metadata: &Metadata,
    max_active_versions: Option<NonZeroU32>,
    state: &SecretState,
) -> Result<Lacks, sqlx::Error> {
    sqlx::query("UPDATE secrets SET metadata = $2, max_active_versions = $3 WHERE id = $1")
        .bind(secret.uuid())
        .bind(row::metadata::encode(metadata))
        .bind(row::secret::kept_column(max_active_versions))
        .execute(&mut *connection)
        .await?;
    states::replace(connection, secret, state).await
}
