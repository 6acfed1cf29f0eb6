use super::states::{self, Replaced, replace_states};
use super::{Lost, before, previous};
use crate::row;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;
use std::collections::HashSet;
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
         FROM unnest($9::uuid[], $10::bigint[], $11::bigint[]) AS e (secret, number, at)
         WHERE secret_versions.secret = ANY($9) AND secret_versions.secret = e.secret
             AND secret_versions.number = ANY($10) AND secret_versions.number = e.number
             AND secret_versions.destroyed_at IS NULL
         RETURNING secret_versions.secret, secret_versions.number
     ), forgotten AS (
         UPDATE answers SET body = $12 FROM unnest($9::uuid[], $10::bigint[]) AS e (secret, number)
         WHERE answers.secret = ANY($9) AND answers.secret = e.secret AND answers.version = e.number
     )
     SELECT place - 1
     FROM unnest($9::uuid[], $10::bigint[]) WITH ORDINALITY AS e (secret, number, place)
     WHERE secret IN (SELECT id FROM changed) AND (secret, number) IN (SELECT secret, number FROM erased)"
);

/// Those of one secret stand one after the other, each with the revision after that of the one before; no version twice.
pub(super) async fn apply(connection: &mut PgConnection, rows: &[Row<'_>], lost: &mut Lost) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let states: Vec<Replaced<'_>> = rows
        .chunk_by(|row, next| row.secret == next.secret)
        .filter_map(|of_one| {
            let (first, last) = (of_one.first()?, of_one.last()?);
            Some((first.secret, previous(first.state.revision), last.state))
        })
        .collect();
    let query = states::bind(sqlx::query_scalar::<_, i64>(SQL), states.iter().copied())
        .bind(rows.iter().map(|row| row.secret.uuid()).bind_iter())
        .bind(rows.iter().map(|row| row::column(row.version.get())).bind_iter())
        .bind(rows.iter().map(|row| row.at.as_micros()).bind_iter())
        .bind(row::NO_DIGEST.as_slice());
    let erased: HashSet<i64> = query.fetch_all(connection).await?.into_iter().collect();
    let mut failed: Option<usize> = None;
    for (row, _) in rows.iter().zip(0..).filter(|(_, place)| !erased.contains(place)) {
        // The first of a unit tells what it lacks.
        if failed != Some(row.unit) {
            lost.push((row.unit, before(AggregateId::Secret(row.secret), row.state.revision)));
        }
        failed = Some(row.unit);
    }
    Ok(())
}
