use super::{Lost, untouched};
use crate::row;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;
use strongroom_domain::secret::{SealedVersion, Secret};
use strongroom_domain::unit::{Expect, UniqueKey};

pub(super) struct Row<'a> {
    pub(super) unit: usize,
    pub(super) secret: &'a Secret,
    pub(super) version: &'a SealedVersion,
}

const SQL: &str = "WITH made AS (
        INSERT INTO secrets
            (id, organisation, region, project, path, parent, name, key_id, metadata, policy, latest, current, active,
             updated_at, object_version, revision, created_at, max_active_versions)
        SELECT * FROM unnest(
            $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::bytea[],
            $10::bytea[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[],
            $17::bigint[], $18::bigint[])
        ON CONFLICT (organisation, region, project, path) DO NOTHING
        RETURNING id
    )
    INSERT INTO secret_versions (secret, number, format, created_at, key_version, wrapped, payload)
    SELECT v.secret, v.number, v.format, v.created_at, v.key_version, v.wrapped, v.payload
    FROM unnest($1::uuid[], $19::bigint[], $20::text[], $21::bigint[], $22::bigint[], $23::bytea[], $24::bytea[])
        AS v (secret, number, format, created_at, key_version, wrapped, payload)
    WHERE v.secret IN (SELECT id FROM made)
    RETURNING secret";

/// In the order of paths on every node: an insert waits for another of the same path, and two must not wait for each other.
pub(super) async fn apply(
    connection: &mut PgConnection,
    mut rows: Vec<Row<'_>>,
    lost: &mut Lost,
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_by(|a, b| (a.secret.scope, &a.secret.path).cmp(&(b.secret.scope, &b.secret.path)));
    let secrets = || rows.iter().map(|row| row.secret);
    let states = || rows.iter().map(|row| &row.secret.state);
    let versions = || rows.iter().map(|row| row.version);
    let made = sqlx::query_scalar(SQL)
        .bind(secrets().map(|secret| secret.id.uuid()).bind_iter())
        .bind(secrets().map(|secret| secret.scope.organisation.uuid()).bind_iter())
        .bind(secrets().map(|secret| secret.scope.region.uuid()).bind_iter())
        .bind(secrets().map(|secret| row::project(&secret.scope)).bind_iter())
        .bind(secrets().map(|secret| secret.path.as_str()).bind_iter())
        .bind(secrets().map(|secret| secret.path.parent().as_str().to_owned()).bind_iter())
        .bind(secrets().map(|secret| secret.path.name()).bind_iter())
        .bind(secrets().map(|secret| secret.key.uuid()).bind_iter())
        .bind(secrets().map(|secret| row::metadata::encode(&secret.metadata)).bind_iter())
        .bind(secrets().map(|secret| secret.policy.as_ref().map(row::policy::encode)).bind_iter())
        .bind(states().map(|state| row::column(state.head.latest.get())).bind_iter())
        .bind(states().map(|state| state.head.current.map(|number| row::column(number.get()))).bind_iter())
        .bind(states().map(|state| i64::from(state.head.active)).bind_iter())
        .bind(states().map(|state| state.updated_at.as_micros()).bind_iter())
        .bind(states().map(|state| row::column(state.object_version)).bind_iter())
        .bind(states().map(|state| row::column(state.revision.get())).bind_iter())
        .bind(secrets().map(|secret| secret.created_at.as_micros()).bind_iter())
        .bind(secrets().map(|secret| row::secret::kept_column(secret.max_active_versions)).bind_iter())
        .bind(versions().map(|version| row::column(version.number.get())).bind_iter())
        .bind(versions().map(|version| version.format.as_str()).bind_iter())
        .bind(versions().map(|version| version.created_at.as_micros()).bind_iter())
        .bind(versions().map(|version| i64::from(version.wrapped.key_version.get())).bind_iter())
        .bind(versions().map(|version| version.wrapped.bytes.as_slice()).bind_iter())
        .bind(versions().map(|version| version.payload.as_slice()).bind_iter())
        .fetch_all(connection)
        .await?;
    let taken = |secret: &Secret| Expect::Absent(UniqueKey::SecretPath(secret.scope, secret.path.clone()));
    lost.extend(untouched(&rows, &made, |row| row.secret.id.uuid()).map(|row| (row.unit, taken(row.secret))));
    Ok(())
}
