//! A database, and SQL beside the server.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use strongroom_test_postgres::database as shared_database;
use tempfile::TempDir;

/// So that no two twins have the same name.
static TWINS: AtomicU64 = AtomicU64::new(1);

/// Where a store is.
pub(crate) enum Database {
    Sqlite(TempDir),
    Postgres(Place),
}

/// A database of PostgreSQL, or one that was copied from it.
pub(crate) struct Place {
    made: Arc<strongroom_test_postgres::Database>,
    /// The name of the copy.
    twin: Option<String>,
    url: String,
}

impl Place {
    fn sql(&self, sql: &str) -> Vec<Vec<String>> {
        match &self.twin {
            None => self.made.sql(sql),
            Some(twin) => self.made.sql(&format!("\\connect {twin}\n{sql}")),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(twin) = &self.twin {
            // One that stays does no harm: the cluster ends with the run.
            let _ = self.made.try_sql(&format!("DROP DATABASE IF EXISTS {twin} WITH (FORCE)"));
        }
    }
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn postgres() -> Self {
        let made = Arc::new(shared_database());
        let url = made.url().to_owned();
        Self::Postgres(Place { made, twin: None, url })
    }

    /// Another database with the same content; nobody may be at work on this one.
    pub(crate) fn twin(&self) -> Self {
        match self {
            Self::Sqlite(_) => {
                let twin = Self::sqlite();
                twin.put_back(&self.copy());
                twin
            }
            Self::Postgres(place) => {
                let (made, from) = (Arc::clone(&place.made), place.twin.as_deref().unwrap_or(place.made.name()));
                let twin = format!("{}_{}", made.name(), TWINS.fetch_add(1, Ordering::Relaxed));
                made.sql(&format!("CREATE DATABASE {twin} TEMPLATE {from}"));
                let url = made.url().replace(made.name(), &twin);
                Self::Postgres(Place { made, twin: Some(twin), url })
            }
        }
    }

    pub(crate) fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite(folder) => Some(folder.path().join("strongroom.db")),
            Self::Postgres(_) => None,
        }
    }

    pub(crate) fn url(&self) -> Option<&str> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(place) => Some(&place.url),
        }
    }

    pub(crate) fn run(&self, sql: &str) {
        match self.file() {
            Some(file) => {
                let connection = rusqlite::Connection::open(file).expect("opens");
                connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
            }
            None => drop(self.rows(sql)),
        }
    }

    /// The rows as text.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        match self {
            Self::Postgres(place) => place.sql(sql),
            Self::Sqlite(folder) => {
                let connection = rusqlite::Connection::open(folder.path().join("strongroom.db")).expect("opens");
                let mut statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
                let columns = statement.column_count();
                let read = |row: &rusqlite::Row<'_>| {
                    (0..columns)
                        .map(|at| row.get::<_, rusqlite::types::Value>(at).map(text))
                        .collect::<rusqlite::Result<Vec<String>>>()
                };
                statement.query_map([], read).expect("runs").collect::<Result<_, _>>().expect("readable")
            }
        }
    }

    pub(crate) fn numbers(&self, sql: &str) -> Vec<i64> {
        self.rows(sql).into_iter().map(|row| row[0].parse().expect("a number")).collect()
    }

    /// Bytes in SQL.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> String {
        let hex = data_encoding::HEXLOWER.encode(bytes);
        match self {
            Self::Sqlite(_) => format!("x'{hex}'"),
            Self::Postgres(_) => format!("'\\x{hex}'::bytea"),
        }
    }

    /// An identity in SQL.
    pub(crate) fn id(&self, id: uuid::Uuid) -> String {
        match self {
            Self::Sqlite(_) => self.bytes(id.as_bytes()),
            Self::Postgres(_) => format!("'{id}'::uuid"),
        }
    }

    /// A column of bytes in one row.
    pub(crate) fn column(&self, table: &str, column: &str, row: &str) -> Vec<u8> {
        let hex = match self {
            Self::Sqlite(_) => format!("lower(hex({column}))"),
            Self::Postgres(_) => format!("encode({column}, 'hex')"),
        };
        let rows = self.rows(&format!("SELECT {hex} FROM {table} WHERE {row}"));
        data_encoding::HEXLOWER.decode(rows[0][0].as_bytes()).expect("hex")
    }

    pub(crate) fn copy(&self) -> Vec<u8> {
        self.run("PRAGMA wal_checkpoint(TRUNCATE)");
        fs::read(self.file().expect("a file")).expect("readable")
    }

    pub(crate) fn put_back(&self, bytes: &[u8]) {
        let file = self.file().expect("a file");
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{suffix}", file.display()));
        }
        fs::write(file, bytes).expect("written");
    }
}

fn text(value: rusqlite::types::Value) -> String {
    match value {
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Text(text) => text,
        rusqlite::types::Value::Null => String::new(),
        other => panic!("{other:?}"),
    }
}
