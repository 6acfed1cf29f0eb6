//! The database of a data directory, read from outside while a server runs on it or not.

use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;

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
