//! Opens files and connections.

use crate::error::OpenError;
use crate::migration;
use crate::options::OpenOptions;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a connection waits for a lock. Only another process ever holds one for long.
const BUSY: Duration = Duration::from_secs(5);
/// More than there are different statements, so that none is prepared twice.
const STATEMENTS: usize = 192;

/// The file beside the database that holds the write-ahead log.
pub(super) fn wal_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// Makes sure that the file is a store of this or an older release, or may become one.
pub(super) fn check_file(options: &OpenOptions) -> Result<(), OpenError> {
    let path = &options.path;
    let empty = match fs::metadata(path) {
        Ok(file) => file.len() == 0,
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(error) => return Err(OpenError::Database(error.into())),
    };
    if empty {
        if !options.create {
            return Err(OpenError::Absent(path.display().to_string()));
        }
        return create_private(path).map_err(|error| OpenError::Database(error.into()));
    }
    match applied_steps(path) {
        Ok(None) => Err(OpenError::NotAStore(path.display().to_string())),
        Ok(Some(steps)) => {
            let known = migration::known();
            match steps.into_iter().find(|step| !known.contains(step)) {
                Some(step) => Err(OpenError::Newer { step }),
                None => Ok(()),
            }
        }
        Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == ErrorCode::NotADatabase => {
            Err(OpenError::NotAStore(path.display().to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// The log and its index get the permissions of the database file, so it is made before SQLite makes it.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.sync_all()
}

/// The names of the schema's steps; `None` when the tables aren't ours. An interrupted first start leaves no table at all.
fn applied_steps(path: &Path) -> rusqlite::Result<Option<Vec<String>>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(BUSY)?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(Some(Vec::new()));
    }
    let ours: Option<i64> = connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE name = 'seaql_migrations'", [], |row| row.get(0))
        .optional()?;
    if ours.is_none() {
        return Ok(None);
    }
    let mut steps = connection.prepare("SELECT version FROM seaql_migrations ORDER BY version")?;
    steps.query_map([], |row| row.get(0))?.collect::<Result<_, _>>().map(Some)
}

/// The connection of the lane. Each connection is used by one thread at a time, which the types see to, so SQLite needs no lock of its
/// own around it.
pub(super) fn writer(options: &OpenOptions) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        &options.path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    set_up(&connection, options)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;
         PRAGMA wal_autocheckpoint = 0;",
    )?;
    if let Some(pages) = options.max_page_count {
        connection.execute_batch(&format!("PRAGMA max_page_count = {pages};"))?;
    }
    Ok(connection)
}

/// A connection for hot reads.
pub(super) fn reader(options: &OpenOptions) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(&options.path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    set_up(&connection, options)?;
    Ok(connection)
}

fn set_up(connection: &Connection, options: &OpenOptions) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(&format!(
        "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
         PRAGMA cache_size = -{}; PRAGMA mmap_size = {};",
        options.cache_kib, options.mmap_bytes
    ))
}

/// The connections of the ORM: one that writes, for the schema, or several that only read.
pub(super) async fn orm(options: &OpenOptions, write: bool) -> Result<DatabaseConnection, sea_orm::DbErr> {
    let mut to = ConnectOptions::new("sqlite::memory:");
    to.max_connections(if write { 1 } else { options.readers.max(1) })
        .min_connections(1)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .record_stmt_in_spans(false);
    let options = options.clone();
    to.map_sqlx_sqlite_opts(move |to| {
        to.in_memory(false)
            .shared_cache(false)
            .filename(&options.path)
            .create_if_missing(false)
            .read_only(!write)
            .busy_timeout(BUSY)
            .foreign_keys(true)
            .pragma("synchronous", "FULL")
            .pragma("secure_delete", "ON")
            .pragma("temp_store", "MEMORY")
            .pragma("trusted_schema", "OFF")
            .pragma("cache_size", format!("-{}", options.cache_kib))
            .pragma("mmap_size", options.mmap_bytes.to_string())
    });
    Database::connect(to).await
}
