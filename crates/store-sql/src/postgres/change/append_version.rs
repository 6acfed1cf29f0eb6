use super::states::{self, replace_states};
use super::{Lost, before, previous, untouched};
use crate::row;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;
use strongroom_domain::id::SecretId;
use strongroom_domain::secret::{SealedVersion, SecretState};
use strongroom_domain::unit::AggregateId;
use uuid::Uuid;

pub(super) struct Row<'a> {
    pub(super) unit: usize,
    pub(super) secret: SecretId,
    pub(super) version: &'a SealedVersion,
    pub(super) state: &'a SecretState,
}

const SQL: &str = concat!(
    "WITH changed AS (",
    replace_states!(),
    ")
     INSERT INTO secret_versions (secret, number, format, created_at, key_version, wrapped, payload)
     SELECT v.secret, v.number, v.format, v.created_at, v.key_version, v.wrapped, v.payload
     FROM unnest($1::uuid[], $9::bigint[], $10::text[], $11::bigint[], $12::bigint[], $13::bytea[], $14::bytea[])
         AS v (secret, number, format, created_at, key_version, wrapped, payload)
     WHERE v.secret IN (SELECT id FROM changed)
     RETURNING secret"
);

pub(super) async fn apply(connection: &mut PgConnection, rows: &[Row<'_>], lost: &mut Lost) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let versions = || rows.iter().map(|row| row.version);
    let states = rows.iter().map(|row| (row.secret, previous(row.state.revision), row.state));
    let query = states::bind(sqlx::query_scalar::<_, Uuid>(SQL), states)
        .bind(versions().map(|version| row::column(version.number.get())).bind_iter())
        .bind(versions().map(|version| version.format.as_str()).bind_iter())
        .bind(versions().map(|version| version.created_at.as_micros()).bind_iter())
        .bind(versions().map(|version| i64::from(version.wrapped.key_version.get())).bind_iter())
        .bind(versions().map(|version| version.wrapped.bytes.as_slice()).bind_iter())
        .bind(versions().map(|version| version.payload.as_slice()).bind_iter());
    let appended = query.fetch_all(connection).await?;
    let failed = untouched(rows, &appended, |row| row.secret.uuid());
    lost.extend(failed.map(|row| (row.unit, before(AggregateId::Secret(row.secret), row.state.revision))));
    Ok(())
}
