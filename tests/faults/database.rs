//! The database of a data directory, read from outside while a server runs on it or not.

use crate::audit_log::{Column, INDEX_COLUMNS, Row, Stored};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;
use strongroom_domain::audit::Signature;
use uuid::Uuid;

/// The database's main file.
pub(crate) fn file(data: &Path) -> PathBuf {
    data.join("strongroom.db")
}

/// Opens it for reading only.
pub(crate) fn open(data: &Path) -> Connection {
    let connection = Connection::open_with_flags(file(data), OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the database");
    connection.busy_timeout(Duration::from_secs(10)).expect("a timeout");
    connection
}

/// The payload and the wrapped data key of a version, as they are stored.
pub(crate) fn material(data: &Path, path: &str, version: u64) -> [Vec<u8>; 2] {
    let sql = "SELECT payload, wrapped FROM secrets
               JOIN secret_versions ON secret_versions.secret = secrets.id
               JOIN secret_materials ON secret_materials.id = secret_versions.material
               WHERE path = ?1 AND number = ?2";
    open(data)
        .query_row(sql, (path, version.cast_signed()), |row| Ok([row.get(0)?, row.get(1)?]))
        .unwrap_or_else(|error| panic!("no material of {path} version {version}: {error}"))
}

/// Has SQLite check the whole file.
pub(crate) fn check_integrity(data: &Path) {
    let verdict: String = open(data).query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a verdict");
    assert_eq!(verdict, "ok", "the database is damaged");
}

/// Every regular file below the directory, with its content.
pub(crate) fn files(data: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![data.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                // One that is gone by now was only temporary.
                found.push((path, bytes));
            }
        }
    }
    found
}

/// The audit log, in one snapshot: the server may be writing.
pub(crate) fn audit_log(data: &Path) -> Stored {
    let connection = open(data);
    connection.execute_batch("BEGIN").expect("a transaction");
    let keys = "SELECT version, public FROM instance_keys WHERE purpose = 'audit-signing'";
    let keys = query(&connection, keys, |row| Ok((row.get(0)?, row.get(1)?))).into_iter().collect();
    let streams = query(&connection, "SELECT ordinal, id FROM audit_streams ORDER BY ordinal", |row| {
        Ok((row.get::<_, i64>(0)?, Uuid::from_bytes(row.get(1)?)))
    });
    let streams = streams.into_iter().map(|(ordinal, id)| (id, records(&connection, ordinal))).collect();
    let count: i64 = connection.query_row("SELECT count(*) FROM audit_records", [], |row| row.get(0)).expect("a count");
    Stored { keys, streams, count: usize::try_from(count).expect("a count") }
}

fn records(connection: &Connection, stream: i64) -> Vec<Row> {
    let sql = format!(
        "SELECT sequence, hash, signature, signing_key_version, canonical, {} FROM audit_records
         WHERE stream = {stream} ORDER BY sequence",
        INDEX_COLUMNS.join(", ")
    );
    query(connection, &sql, |row| {
        let key_version: Option<u32> = row.get(3)?;
        let index = (5..5 + INDEX_COLUMNS.len()).map(|at| Ok(column(row.get(at)?)));
        Ok(Row {
            sequence: row.get::<_, i64>(0)?.cast_unsigned(),
            hash: row.get(1)?,
            signature: row
                .get::<_, Option<[u8; 64]>>(2)?
                .map(|bytes| Signature { key_version: key_version.expect("the version of the signing key"), bytes }),
            canonical: row.get(4)?,
            index: index.collect::<rusqlite::Result<_>>()?,
        })
    })
}

fn column(value: Value) -> Column {
    match value {
        Value::Null => Column::Null,
        Value::Integer(number) => Column::Integer(number),
        Value::Text(text) => Column::Text(text),
        Value::Blob(bytes) => Column::Bytes(bytes),
        Value::Real(number) => panic!("no column holds {number}"),
    }
}

fn query<T>(connection: &Connection, sql: &str, read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let mut statement = connection.prepare(sql).expect("the schema that this test knows");
    let rows = statement.query_map([], read).expect("a query");
    rows.collect::<Result<_, _>>().expect("readable rows")
}
