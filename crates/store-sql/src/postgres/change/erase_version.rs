use super::states::{self, replace_states};
use super::{Lost, before, untouched};
use crate::row;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;
use strongroom_domain::id::SecretId;
use strongroom_domain::secret::SecretState;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::AggregateId;
use strongroom_domain::version::VersionNumber;

pub(super) struct Row<'a> {
    pub(super) unit: usize,
    pub(super) secret: SecretId,
    pub(super) version: VersionNumber,
    pub(super) at: Timestamp,
    pub(super) state: &'a SecretState,
}

const SQL: &str = concat!(
    "WITH changed AS (",
    replace_states!(),
    "), erased AS (
         UPDATE secret_versions SET wrapped = NULL, payload = NULL, destroyed_at = e.at
         FROM unnest($1::uuid[], $8::bigint[], $9::bigint[]) AS e (secret, number, at)
         WHERE secret_versions.secret = ANY($1) AND secret_versions.secret = e.secret
             AND secret_versions.number = ANY($8) AND secret_versions.number = e.number
             AND secret_versions.destroyed_at IS NULL
         RETURNING secret_versions.secret
     ), forgotten AS (
         DELETE FROM answers USING unnest($1::uuid[], $8::bigint[]) AS e (secret, number)
         WHERE answers.secret = ANY($1) AND answers.secret = e.secret AND answers.version = e.number
     )
     SELECT id FROM changed WHERE id IN (SELECT secret FROM erased)"
);

pub(super) async fn apply(connection: &mut PgConnection, rows: &[Row<'_>], lost: &mut Lost) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let query = states::bind(sqlx::query_scalar(SQL), rows.iter().map(|row| (row.secret, row.state)))
        .bind(rows.iter().map(|row| row::column(row.version.get())).bind_iter())
        .bind(rows.iter().map(|row| row.at.as_micros()).bind_iter());
    let erased = query.fetch_all(connection).await?;
    let failed = untouched(rows, &erased, |row| row.secret.uuid());
    lost.extend(failed.map(|row| (row.unit, before(AggregateId::Secret(row.secret), row.state.revision))));
    Ok(())
}
