//! Looks at what a database holds, and gives it the schema.

use super::connect;
use super::options::PostgresOptions;
use crate::error::OpenError;
use crate::migration::{self, Migrator};
use sea_orm_migration::MigratorTrait;
use sqlx::{Connection, PgConnection};
use std::time::Duration;

/// The lock under which the schema is changed, so that nodes can start together. Any number that others don't use.
const LOCK: i64 = 0x5354_524f_4e47_524d;
/// How long a step of the schema, or waiting for another node's, may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing, or what an interrupted first start left.
    Nothing,
    /// A store of an older release.
    Older,
    /// A store of this release.
    Current,
}

/// Everything in the schema where tables would be made, but for what extensions put there.
const TABLES: &str =
    "SELECT current_schema()::text, count(c.oid), count(c.oid) FILTER (WHERE c.relname = 'seaql_migrations')
    FROM pg_catalog.pg_namespace n
    LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    WHERE n.nspname = current_schema()";

/// Looks without changing anything.
pub(super) async fn inspect(connection: &mut PgConnection, name: &str) -> Result<Found, OpenError> {
    let row: Option<(String, i64, i64)> = sqlx::query_as(TABLES).fetch_optional(&mut *connection).await?;
    let Some((_, tables, ours)) = row else {
        return Err(OpenError::Unfit(
            "the database user's search_path names no schema that exists; create one".to_owned(),
        ));
    };
    match (tables, ours) {
        (0, _) => return Ok(Found::Nothing),
        (_, 0) => return Err(OpenError::NotAStore(name.to_owned())),
        _ => {}
    }
    let steps: Vec<String> =
        sqlx::query_scalar("SELECT version::text FROM seaql_migrations ORDER BY version").fetch_all(connection).await?;
    let known = migration::known();
    match steps.iter().find(|step| !known.contains(step)) {
        Some(_) if !steps.contains(&known[0]) => Err(OpenError::NotAStore(name.to_owned())),
        Some(step) => Err(OpenError::Newer { step: step.clone() }),
        None if steps.is_empty() && tables > ours => Err(OpenError::NotAStore(name.to_owned())),
        None if steps.is_empty() => Ok(Found::Nothing),
        None if steps.len() < known.len() => Ok(Found::Older),
        None => Ok(Found::Current),
    }
}

/// Makes sure that the database is a store of this release, or makes it one.
pub(super) async fn prepare(options: &PostgresOptions) -> Result<(), OpenError> {
    let mut connection = connect::connection(options).await?;
    if wants_migration(&mut connection, options).await? {
        let mut patient = options.clone();
        (patient.statement_timeout, patient.lock_timeout) = (PATIENCE, PATIENCE);
        let mut locked = connect::connection(&patient).await?;
        sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut locked).await?;
        // Another node may have been first.
        if wants_migration(&mut connection, options).await? {
            let schema = connect::orm(&patient, 1).await?;
            Migrator::up(&schema, None).await?;
            schema.close().await?;
        }
        // The lock ends with its connection.
        locked.close().await?;
    }
    connection.close().await?;
    Ok(())
}

async fn wants_migration(connection: &mut PgConnection, options: &PostgresOptions) -> Result<bool, OpenError> {
    match inspect(connection, options.name()).await? {
        Found::Current => Ok(false),
        Found::Older => Ok(true),
        Found::Nothing if options.create => Ok(true),
        Found::Nothing => Err(OpenError::Absent(options.name().to_owned())),
    }
}
