use crate::entity::{secret, secret_version};
use crate::error::unread;
use crate::row;
use crate::row::secret::{SecretRow, version_number};
use crate::row::version::VersionRow;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select, Statement,
};
use strongroom_domain::id::SecretId;
use strongroom_domain::port::ReadError;
use strongroom_domain::scope::Scope;
use strongroom_domain::secret::Secret;
use strongroom_domain::version::{Version, VersionNumber};

/// Secrets of a scope, as [`SecretRow`].
pub(super) fn of(scope: &Scope) -> Select<secret::Entity> {
    let accessed_at = Expr::cust("(SELECT a.at FROM secret_access a WHERE a.secret = secrets.id AND a.version = 0)");
    secret::Entity::find()
        .expr_as(accessed_at, "accessed_at")
        .filter(secret::Column::Organisation.eq(scope.organisation.uuid()))
        .filter(secret::Column::Region.eq(scope.region.uuid()))
        .filter(secret::Column::Project.eq(row::project(scope)))
}

/// The first text after everything that begins with `prefix`: all characters of a path are below it.
pub(super) fn end_of(prefix: &str) -> String {
    format!("{prefix}\u{7f}")
}

pub(crate) async fn list(
    db: &DatabaseConnection,
    scope: &Scope,
    prefix: &str,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Secret>, ReadError> {
    let mut query = of(scope).filter(secret::Column::Path.lt(end_of(prefix)));
    query = match after {
        Some(after) if after >= prefix => query.filter(secret::Column::Path.gt(after)),
        _ => query.filter(secret::Column::Path.gte(prefix)),
    };
    let rows = query.order_by_asc(secret::Column::Path).limit(u64::from(limit)).into_model::<SecretRow>().all(db);
    rows.await.map_err(unread)?.into_iter().map(SecretRow::read).collect()
}

/// Versions of a secret, as [`VersionRow`].
fn versions_of(secret: SecretId) -> Select<secret_version::Entity> {
    let accessed_at = Expr::cust(
        "(SELECT a.at FROM secret_access a WHERE a.secret = secret_versions.secret AND a.version = secret_versions.number)",
    );
    secret_version::Entity::find()
        .expr_as(accessed_at, "accessed_at")
        .filter(secret_version::Column::Secret.eq(secret.uuid()))
}

pub(crate) async fn versions(
    db: &DatabaseConnection,
    secret: SecretId,
    after: Option<VersionNumber>,
    limit: u32,
) -> Result<Vec<Version>, ReadError> {
    let after = after.map_or(0, |number| row::column(number.get()));
    let query = versions_of(secret)
        .filter(secret_version::Column::Number.gt(after))
        .order_by_asc(secret_version::Column::Number)
        .limit(u64::from(limit));
    let rows = query.into_model::<VersionRow>().all(db).await.map_err(unread)?;
    rows.into_iter().map(VersionRow::read).collect()
}

pub(crate) async fn version(
    db: &DatabaseConnection,
    secret: SecretId,
    number: VersionNumber,
) -> Result<Option<Version>, ReadError> {
    let query = versions_of(secret).filter(secret_version::Column::Number.eq(row::column(number.get())));
    let found = query.into_model::<VersionRow>().one(db).await.map_err(unread)?;
    found.map(VersionRow::read).transpose()
}

pub(crate) async fn active_below(
    db: &DatabaseConnection,
    secret: SecretId,
    number: VersionNumber,
) -> Result<Option<VersionNumber>, ReadError> {
    let query = secret_version::Entity::find()
        .select_only()
        .column(secret_version::Column::Number)
        .filter(secret_version::Column::Secret.eq(secret.uuid()))
        .filter(secret_version::Column::Number.lt(row::column(number.get())))
        .filter(secret_version::Column::DestroyedAt.is_null())
        .order_by_desc(secret_version::Column::Number)
        .limit(1);
    let found: Option<i64> = query.into_tuple().one(db).await.map_err(unread)?;
    found.map(version_number).transpose()
}

/// Counted from the newest, since those that are active stand there, however many were destroyed below.
const OLDEST_ACTIVE: &str = "SELECT number FROM (
        SELECT number FROM secret_versions WHERE secret = $1 AND destroyed_at IS NULL
        ORDER BY number DESC LIMIT coalesce((SELECT active FROM secrets WHERE id = $1), 0)
    ) AS active ORDER BY number LIMIT $2";

pub(super) fn oldest_active_statement(backend: DbBackend, secret: SecretId, limit: u32) -> Statement {
    Statement::from_sql_and_values(backend, OLDEST_ACTIVE, [secret.uuid().into(), i64::from(limit).into()])
}

pub(crate) async fn oldest_active(
    db: &DatabaseConnection,
    secret: SecretId,
    limit: u32,
) -> Result<Vec<VersionNumber>, ReadError> {
    let statement = oldest_active_statement(db.get_database_backend(), secret, limit);
    let rows = db.query_all_raw(statement).await.map_err(unread)?;
    let numbers =
        rows.iter().map(|row| row.try_get_by_index::<i64>(0)).collect::<Result<Vec<_>, _>>().map_err(unread)?;
    numbers.into_iter().map(version_number).collect()
}
