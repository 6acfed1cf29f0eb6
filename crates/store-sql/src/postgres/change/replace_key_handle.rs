use super::{Lacks, before};
use crate::row;
use sqlx::PgConnection;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::KeyVersion;
use strongroom_domain::unit::{AggregateId, Revision};

pub(super) async fn apply(
    connection: &mut PgConnection,
    key: KeyId,
    version: &KeyVersion,
    revision: Revision,
) -> Result<Lacks, sqlx::Error> {
    let done = sqlx::query(
        "WITH revised AS (UPDATE kms_keys SET revision = $2 WHERE id = $1 AND revision = $2 - 1 RETURNING id)
         UPDATE kms_key_versions SET handle = $4 FROM revised
         WHERE kms_key_versions.key_id = $1 AND kms_key_versions.number = $3",
    )
    .bind(key.uuid())
    .bind(row::column(revision.get()))
    .bind(i64::from(version.number.get()))
    .bind(version.handle.as_bytes())
    .execute(connection)
    .await?;
    Ok((done.rows_affected() == 0).then(|| before(AggregateId::Key(key), revision)))
}
