//! Looks at what a database holds, and gives it the schema.

use super::lane::{GRACE, bounded, limit};
use super::options::PostgresOptions;
use super::{connect, failure};
use crate::error::OpenError;
use crate::migration::{self, Migrator};
use sea_orm_migration::MigratorTrait;
use sqlx::{Connection, PgConnection};
use std::time::Duration;
use tokio::time::timeout;

/// The lock under which the schema is changed, so that nodes can start together. Any number that others don't use.
const LOCK: i64 = 0x5354_524f_4e47_524d;

/// How long giving a database the schema may take.
struct Limits {
    /// Waiting for a lock: that of another node which does the same, or one on a table.
    lock: Duration,
    /// All steps together.
    steps: Duration,
}

/// Steps may rewrite large tables. Another node that is at it for longer than a minute is not waited for: it may as well be stuck, and
/// whoever starts servers tries again.
const LIMITS: Limits = Limits { lock: Duration::from_secs(60), steps: Duration::from_secs(600) };

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
pub(super) async fn inspect(connection: &mut PgConnection, options: &PostgresOptions) -> Result<Found, OpenError> {
    inspect_for(connection, options, &migration::known()).await
}

/// The same, for a release that knows these steps.
async fn inspect_for(
    connection: &mut PgConnection,
    options: &PostgresOptions,
    known: &[String],
) -> Result<Found, OpenError> {
    let (name, limit) = (options.name(), limit(options));
    let row: Option<(String, i64, i64)> =
        bounded(limit, sqlx::query_as(TABLES).fetch_optional(&mut *connection)).await?;
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
    let steps = sqlx::query_scalar("SELECT version::text FROM seaql_migrations ORDER BY version");
    let steps: Vec<String> = bounded(limit, steps.fetch_all(connection)).await?;
    judge(name, known, &steps, tables > ours)
}

/// What a database is that was given these of the known steps, and has other tables or none.
fn judge(name: &str, known: &[String], steps: &[String], has_tables: bool) -> Result<Found, OpenError> {
    match steps.iter().find(|step| !known.contains(step)) {
        Some(_) if !steps.contains(&known[0]) => Err(OpenError::NotAStore(name.to_owned())),
        Some(step) => Err(OpenError::Newer { step: step.clone() }),
        None if steps.is_empty() && has_tables => Err(OpenError::NotAStore(name.to_owned())),
        None if steps.is_empty() => Ok(Found::Nothing),
        None if steps.len() < known.len() => Ok(Found::Older),
        None => Ok(Found::Current),
    }
}

/// Makes sure that the database is a store of this release, or makes it one.
pub(super) async fn prepare(options: &PostgresOptions) -> Result<(), OpenError> {
    prepare_within(options, &LIMITS).await
}

async fn prepare_within(options: &PostgresOptions, limits: &Limits) -> Result<(), OpenError> {
    let mut connection = connect::connection(options).await?;
    if wants_migration(&mut connection, options).await? {
        let mut patient = options.clone();
        (patient.statement_timeout, patient.lock_timeout) = (limits.steps, limits.lock);
        let mut locked = connect::connection(&patient).await?;
        lock(&mut locked, limits.lock).await?;
        // Another node may have been first.
        if wants_migration(&mut connection, options).await? {
            migrate(&patient, limits.steps).await?;
        }
        // The lock ends with its connection.
        bounded(limit(options), locked.close()).await?;
    }
    bounded(limit(options), connection.close()).await?;
    Ok(())
}

/// Waits for other nodes that change the schema.
async fn lock(connection: &mut PgConnection, patience: Duration) -> Result<(), OpenError> {
    let lock = sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK);
    match bounded(patience + GRACE, lock.execute(connection)).await {
        Ok(_) => Ok(()),
        Err(error) if failure::is_lock_timeout(&error) => {
            Err(OpenError::Unreachable { what: LOCKED, source: error.into() })
        }
        Err(error) => Err(error.into()),
    }
}

const LOCKED: &str = "another server holds the lock under which the schema of the database is changed; wait until it has started, or, \
     if none is starting, end the session that pg_locks shows with locktype 'advisory' (pg_terminate_backend)";

async fn migrate(options: &PostgresOptions, patience: Duration) -> Result<(), OpenError> {
    let schema = connect::orm(options, 1).await?;
    let migrated = timeout(patience + GRACE, Migrator::up(&schema, None)).await;
    migrated.map_err(|_| connect::timed_out())??;
    // What hangs here has nothing more to do.
    let _ = timeout(GRACE, schema.close()).await;
    Ok(())
}

async fn wants_migration(connection: &mut PgConnection, options: &PostgresOptions) -> Result<bool, OpenError> {
    wants(inspect(connection, options).await?, options)
}

fn wants(found: Found, options: &PostgresOptions) -> Result<bool, OpenError> {
    match found {
        Found::Current => Ok(false),
        Found::Older => Ok(true),
        Found::Nothing if options.create => Ok(true),
        Found::Nothing => Err(OpenError::Absent(options.name().to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, LOCK, Limits, judge, prepare, prepare_within};
    use crate::error::OpenError;
    use crate::postgres::{PostgresOptions, peek_postgres_key_check};
    use sqlx::{Connection, PgConnection};
    use std::io::{self, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread;
    use std::time::Duration;
    use strongroom_test_postgres::database;
    use tokio::time::timeout;

    const SHORT: Limits = Limits { lock: Duration::from_millis(300), steps: Duration::from_millis(300) };
    /// Far longer than any of the limits.
    const LONG: Duration = Duration::from_secs(30);

    fn options(url: &str) -> PostgresOptions {
        let mut options = PostgresOptions::parse(url).expect("a URL").create();
        options.statement_timeout = Duration::from_millis(300);
        options
    }

    /// The URL of a server that passes everything on to the one of this URL, until it is asked something with this word in it: from
    /// there on it says nothing, and keeps the connection.
    fn silent_from(word: &'static str, url: &str) -> String {
        let (_, address) = url.split_once('@').expect("a user");
        let (address, _) = address.split_once('/').expect("a database");
        let server = address.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let own = listener.local_addr().expect("bound").to_string();
        let through = url.replace(address, &own);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (mut client, mut server) = (client?, TcpStream::connect(&server)?);
                let (mut answers, mut back) = (server.try_clone()?, client.try_clone()?);
                thread::spawn(move || io::copy(&mut answers, &mut back));
                thread::spawn(move || pass(word, &mut client, &mut server));
            }
            io::Result::Ok(())
        });
        through
    }

    fn pass(word: &str, client: &mut TcpStream, server: &mut TcpStream) -> io::Result<()> {
        let mut buffer = [0; 1 << 16];
        loop {
            let length = client.read(&mut buffer)?;
            let asked = &buffer[..length];
            if length == 0 {
                return Ok(());
            }
            if asked.windows(word.len()).any(|part| part == word.as_bytes()) {
                io::copy(client, &mut io::sink())?;
                return Ok(());
            }
            server.write_all(asked)?;
        }
    }

    #[test]
    fn what_a_database_is_follows_from_its_steps() {
        let judged = |known: &[&str], steps: &[&str], has_tables| {
            let owned = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
            judge("db", &owned(known), &owned(steps), has_tables)
        };
        let known = ["m1", "m2", "m3"];
        for (steps, has_tables, wanted) in [
            (&[][..], false, Found::Nothing),
            (&["m1"], true, Found::Older),
            (&["m1", "m2"], true, Found::Older),
            (&["m1", "m2", "m3"], true, Found::Current),
        ] {
            let found = judged(&known, steps, has_tables);
            assert_eq!(found.unwrap_or_else(|error| panic!("{steps:?}: {error}")), wanted, "{steps:?}");
        }
        let newer = judged(&known, &["m1", "m2", "m3", "m4"], true);
        assert!(matches!(&newer, Err(OpenError::Newer { step }) if step == "m4"), "{newer:?}");
        for steps in [&[][..], &["other"], &["m2", "other"]] {
            assert!(matches!(judged(&known, steps, true), Err(OpenError::NotAStore(_))), "{steps:?}");
        }
    }

    /// One of an older release is looked at as it is, and opening it takes the way that changes it, whether it may be made or not.
    #[tokio::test]
    async fn an_older_store_is_brought_up_to_date() {
        let database = database();
        let options = options(database.url());
        prepare(&options).await.expect("prepared");
        let mut connection = PgConnection::connect(database.url()).await.expect("connects");
        let known: Vec<String> = [crate::migration::known(), vec!["m9999_to_come".to_owned()]].concat();
        let found = super::inspect_for(&mut connection, &options, &known).await.expect("readable");
        assert_eq!(found, Found::Older);
        for create in [false, true] {
            let mut options = options.clone();
            options.create = create;
            assert!(super::wants(Found::Older, &options).expect("a store"));
        }
    }

    #[tokio::test]
    async fn another_node_is_waited_for_no_longer_than_allowed() {
        let database = database();
        let mut other = PgConnection::connect(database.url()).await.expect("connects");
        let held = sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut other).await;
        held.expect("locked");
        let limits = Limits { steps: LONG, ..SHORT };
        let answer = timeout(LONG, prepare_within(&options(database.url()), &limits)).await;
        let error = answer.expect("answered").expect_err("locked");
        assert!(matches!(&error, OpenError::Unreachable { what, .. } if what.contains("pg_locks")), "{error}");
        other.close().await.expect("closed");
        prepare(&options(database.url())).await.expect("prepared");
    }

    #[tokio::test]
    async fn a_server_that_falls_silent_at_the_start_is_told() {
        let told = |what: &str, answer: Result<Result<(), OpenError>, _>| {
            let error = answer.unwrap_or_else(|_| panic!("{what}: no answer")).expect_err(what);
            assert!(error.to_string().contains("see whether the server answers"), "{what}: {error}");
        };
        for word in ["pg_catalog.pg_class", "pg_advisory_lock", "CREATE TABLE"] {
            let database = database();
            let options = options(&silent_from(word, &database.tcp_url()));
            told(word, timeout(LONG, prepare_within(&options, &SHORT)).await);
        }
        let database = database();
        prepare(&options(database.url())).await.expect("prepared");
        let word = "version::text";
        let silent = options(&silent_from(word, &database.tcp_url()));
        told(word, timeout(LONG, prepare_within(&silent, &SHORT)).await);
        for word in ["version::text", "FROM key_check"] {
            let silent = options(&silent_from(word, &database.tcp_url()));
            told(word, timeout(LONG, async { peek_postgres_key_check(&silent).await.map(|_| ()) }).await);
        }
    }
}
