//! The state of secrets, which every change of one replaces.

use super::previous;
use crate::row;
use sqlx::postgres::{PgArguments, PgBindIterExt};
use sqlx::query::QueryScalar;
use sqlx::{PgConnection, Postgres};
use strongroom_domain::id::SecretId;
use strongroom_domain::secret::SecretState;
use strongroom_domain::unit::{AggregateId, Revision};
use uuid::Uuid;

/// Replaces the states of secrets that have the revision that is given; gives their ids. Takes the parameters that [`bind`] binds. `ANY` makes
/// the plan one by index even when it was made while the table was small.
macro_rules! replace_states {
    () => {
        "UPDATE secrets SET latest = s.latest, current = s.current, active = s.active, updated_at = s.updated_at,
             object_version = s.object_version, revision = s.revision
         FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                     $8::bigint[])
             AS s (id, before, latest, current, active, updated_at, object_version, revision)
         WHERE secrets.id = ANY($1) AND secrets.id = s.id AND secrets.revision = s.before
         RETURNING secrets.id"
    };
}
pub(super) use replace_states;

/// A statement that gives one column.
type Scalar<'a, T> = QueryScalar<'a, Postgres, T, PgArguments>;

/// Which secret is to have which state, and the revision that it must have before.
pub(super) type Replaced<'a> = (SecretId, Revision, &'a SecretState);

/// Binds `$1` to `$8`.
pub(super) fn bind<'a, T>(
    query: Scalar<'a, T>,
    rows: impl Iterator<Item = Replaced<'a>> + Clone + 'a,
) -> Scalar<'a, T> {
    let states = || rows.clone().map(|(_, _, state)| state);
    query
        .bind(rows.clone().map(|(secret, ..)| secret.uuid()).bind_iter())
        .bind(rows.clone().map(|(_, before, _)| row::column(before.get())).bind_iter())
        .bind(states().map(|state| row::column(state.head.latest.get())).bind_iter())
        .bind(states().map(|state| state.head.current.map(|number| row::column(number.get()))).bind_iter())
        .bind(states().map(|state| i64::from(state.head.active)).bind_iter())
        .bind(states().map(|state| state.updated_at.as_micros()).bind_iter())
        .bind(states().map(|state| row::column(state.object_version)).bind_iter())
        .bind(states().map(|state| row::column(state.revision.get())).bind_iter())
}

/// Replaces the state of one secret.
pub(super) async fn replace(
    connection: &mut PgConnection,
    secret: SecretId,
    state: &SecretState,
) -> Result<super::Lacks, sqlx::Error> {
    let query = bind(
        sqlx::query_scalar::<_, Uuid>(replace_states!()),
        std::iter::once((secret, previous(state.revision), state)),
    );
    let replaced = query.fetch_optional(connection).await?;
    Ok(replaced.is_none().then(|| super::before(AggregateId::Secret(secret), state.revision)))
}
