use super::{Lost, untouched};
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;
use strongroom_domain::id::SecretId;
use strongroom_domain::unit::{AggregateId, Expect, Revision};

pub(super) async fn apply(
    connection: &mut PgConnection,
    rows: &[(usize, SecretId)],
    lost: &mut Lost,
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let deleted = sqlx::query_scalar(
        "WITH forgotten AS (DELETE FROM answers WHERE secret = ANY($1)),
              accesses AS (DELETE FROM secret_access WHERE secret = ANY($1)),
              versions AS (DELETE FROM secret_versions WHERE secret = ANY($1))
         DELETE FROM secrets WHERE id = ANY($1) RETURNING id",
    )
    .bind(rows.iter().map(|(_, secret)| secret.uuid()).bind_iter())
    .fetch_all(connection)
    .await?;
    let missing = |secret| Expect::Revision(AggregateId::Secret(secret), Revision::FIRST);
    lost.extend(untouched(rows, &deleted, |(_, secret)| secret.uuid()).map(|(unit, secret)| (*unit, missing(*secret))));
    Ok(())
}
