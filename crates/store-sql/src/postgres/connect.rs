//! Opens connections, and refuses servers that don't keep what they are given.

use super::failure;
use super::options::PostgresOptions;
use crate::error::OpenError;
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// The oldest release of PostgreSQL that is accepted.
const OLDEST: u32 = 13;

/// A connection of a lane: checked as at the start, since the server may have been changed meanwhile.
pub(super) async fn connection(options: &PostgresOptions) -> Result<PgConnection, OpenError> {
    let mut connection = seeking(&options.driver()?, options.connect_timeout).await?;
    let checked = timeout(options.connect_timeout, check(&mut connection, options)).await;
    checked.map_err(|_| OpenError::from(timed_out()))??;
    Ok(connection)
}

/// A connection for prepared statements that find their rows by index. A plan that was made while a table was empty reads all of
/// it, and would go on so until somebody says ANALYZE: such plans, and compiling statements, are switched off where the server knows
/// the switch.
pub(super) async fn seeking(driver: &PgConnectOptions, patience: Duration) -> sqlx::Result<PgConnection> {
    const SEEK: &str = "SELECT set_config(name, 'off', false) FROM pg_settings
        WHERE name IN ('enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit')";
    let mut connection = establish(driver, patience).await?;
    let set = timeout(patience, sqlx::query(SEEK).persistent(false).execute(&mut connection)).await;
    set.unwrap_or_else(|_| Err(timed_out()))?;
    Ok(connection)
}

/// A connection as it comes.
pub(super) async fn establish(driver: &PgConnectOptions, patience: Duration) -> sqlx::Result<PgConnection> {
    timeout(patience, PgConnection::connect_with(driver)).await.unwrap_or_else(|_| Err(timed_out()))
}

pub(super) fn timed_out() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the database server did not answer in time"))
}

/// The connections of the ORM, made when they are needed.
pub(super) async fn orm(options: &PostgresOptions, readers: u32) -> Result<DatabaseConnection, OpenError> {
    let driver = options.driver()?;
    // The URL is replaced below.
    let mut to = ConnectOptions::new("postgres://localhost");
    to.max_connections(readers.max(1))
        .min_connections(0)
        .connect_lazy(true)
        .acquire_timeout(options.acquire_timeout)
        .idle_timeout(Duration::from_secs(600))
        .test_before_acquire(true)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_postgres_opts(move |_| driver.clone());
    Ok(Database::connect(to).await?)
}

/// What the server says of itself; `None` where it doesn't know the setting.
struct Settings {
    version: Option<String>,
    encoding: Option<String>,
    fsync: Option<String>,
    full_page_writes: Option<String>,
    synchronous_commit: Option<String>,
    read_only: Option<String>,
}

/// The last column keeps a later change of the server's default from weakening this session.
const SETTINGS: &str = "SELECT current_setting('server_version_num', true), current_setting('server_encoding', true),
        current_setting('fsync', true), current_setting('full_page_writes', true), current_setting('synchronous_commit', true),
        current_setting('transaction_read_only', true),
        set_config('synchronous_commit', current_setting('synchronous_commit'), false)";

type Column = Option<String>;

/// Refuses a server that is too old, can't be written, or may lose what it acknowledged.
async fn check(connection: &mut PgConnection, options: &PostgresOptions) -> Result<(), OpenError> {
    let row: (Column, Column, Column, Column, Column, Column) = sqlx::query_as(SETTINGS).fetch_one(connection).await?;
    let (version, encoding, fsync, full_page_writes, synchronous_commit, read_only) = row;
    let settings = Settings { version, encoding, fsync, full_page_writes, synchronous_commit, read_only };
    if settings.read_only.as_deref() != Some("off") {
        return Err(OpenError::ReadOnly);
    }
    settings.fault(options.allow_unsafe_durability).map_or(Ok(()), |fault| Err(OpenError::Unfit(fault)))
}

impl Settings {
    fn fault(&self, allow_unsafe_durability: bool) -> Option<String> {
        let version: u32 = self.version.as_deref().and_then(|version| version.parse().ok()).unwrap_or(0);
        if version < OLDEST * 10_000 {
            let major = version / 10_000;
            return Some(format!("the database server has version {major}, and {OLDEST} or newer is needed"));
        }
        if self.encoding.as_deref() != Some("UTF8") {
            let encoding = self.encoding.as_deref().unwrap_or("unknown");
            return Some(format!("the database has the encoding {encoding}; create it with ENCODING 'UTF8'"));
        }
        if allow_unsafe_durability {
            return None;
        }
        let must_be_on = |name: &str, value: Option<&str>| {
            let value =
                value.filter(|value| *value != "on").or(if value.is_none() { Some("unknown") } else { None })?;
            Some(format!(
                "the database server runs with {name} = {value}, so a crash of its machine may destroy what was committed; set \
                 {name} = on in postgresql.conf"
            ))
        };
        must_be_on("fsync", self.fsync.as_deref())
            .or_else(|| must_be_on("full_page_writes", self.full_page_writes.as_deref()))
            .or_else(|| {
                let value = self.synchronous_commit.as_deref().unwrap_or("unknown");
                (!matches!(value, "on" | "local" | "remote_write" | "remote_apply")).then(|| {
                    format!(
                        "the database runs with synchronous_commit = {value}, so a crash loses what was just committed; set \
                         synchronous_commit = on for the server, the database and the user"
                    )
                })
            })
    }
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unreachable { what: failure::explain(&error), source: error.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    fn of(version: &str, encoding: &str, [fsync, pages, commit]: [&str; 3]) -> Settings {
        let text = |text: &str| (text != "-").then(|| text.to_owned());
        Settings {
            version: text(version),
            encoding: text(encoding),
            fsync: text(fsync),
            full_page_writes: text(pages),
            synchronous_commit: text(commit),
            read_only: text("off"),
        }
    }

    #[test]
    fn a_server_must_keep_what_it_is_given() {
        let sound = ["on", "on", "on"];
        for (version, encoding, flags, fault) in [
            ("130000", "UTF8", sound, None),
            ("150013", "UTF8", ["on", "on", "local"], None),
            ("120015", "UTF8", sound, Some("version 12")),
            ("-", "UTF8", sound, Some("version 0")),
            ("150013", "SQL_ASCII", sound, Some("SQL_ASCII")),
            ("150013", "UTF8", ["off", "on", "on"], Some("fsync = off")),
            ("150013", "UTF8", ["-", "on", "on"], Some("fsync = unknown")),
            ("150013", "UTF8", ["on", "off", "on"], Some("full_page_writes = off")),
            ("150013", "UTF8", ["on", "on", "off"], Some("synchronous_commit = off")),
        ] {
            let settings = of(version, encoding, flags);
            let found = settings.fault(false);
            match fault {
                None => assert_eq!(found, None),
                Some(fault) => assert!(found.as_deref().is_some_and(|found| found.contains(fault)), "{found:?}"),
            }
        }
        assert_eq!(of("150013", "UTF8", ["off", "off", "off"]).fault(true), None);
    }
}
