//! Looks at a file without changing anything in its directory, so that a wrong root key is refused before a byte is written.

use super::connect::wal_path;
use crate::error::{OpenError, is_not_a_database};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use strongroom_domain::root_key::{KeyCheck, RootKeyId};

/// The length of the log's header, in bytes (<https://www.sqlite.org/fileformat2.html#walformat>). A log without more holds nothing.
const WAL_HEADER_LEN: u64 = 32;
/// Where two numbers stand that are drawn anew each time that the log is written over from its start, and how long they are.
const SALTS_IN_LOG: usize = 16;
const SALTS_LEN: usize = 8;
/// Where the index keeps them of the log that it is of (<https://www.sqlite.org/walformat.html>, section 2.1).
const SALTS_IN_INDEX: usize = 32;

/// The check of the root key that the store in this file was set up with; `None` where there is no file, or an empty one, or a store
/// whose set-up was cut short.
///
/// Writes nothing, neither to the file nor beside it. No other process may have the store open.
///
/// # Errors
/// [`OpenError::NotAStore`], [`OpenError::Corrupt`], [`OpenError::Database`].
pub fn peek_key_check(path: &Path) -> Result<Option<KeyCheck>, OpenError> {
    if len(path)? == 0 {
        return Ok(None);
    }
    if len(&wal_path(path))? <= WAL_HEADER_LEN {
        return read(path, "immutable=1");
    }
    // A crash left a log, and what is looked for may stand only there. With a read-only index SQLite makes its own in memory.
    if index_is_of_log(path)? {
        return read(path, "mode=ro&readonly_shm=1");
    }
    // The index was lost on the way, as when files are copied, or is of the log before, which was written over when the crash came. SQLite makes
    // a new one; it holds nothing of its own.
    let found = read(path, "mode=ro");
    let _ = fs::remove_file(shm_path(path));
    found
}

/// Whether there is an index of this very log. With a read-only one of another log SQLite waits ten seconds for somebody to renew it, and gives
/// up.
fn index_is_of_log(path: &Path) -> Result<bool, OpenError> {
    let salts = |path: &Path, at: usize| -> Result<Option<[u8; SALTS_LEN]>, OpenError> {
        let mut start = [0; WAL_HEADER_LEN as usize + SALTS_LEN];
        let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
        match read {
            Ok(()) => Ok(start[at..].first_chunk().copied()),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof) => Ok(None),
            Err(error) => Err(OpenError::Database(error.into())),
        }
    };
    let index = salts(&shm_path(path), SALTS_IN_INDEX)?;
    Ok(index.is_some() && index == salts(&wal_path(path), SALTS_IN_LOG)?)
}

fn len(path: &Path) -> Result<u64, OpenError> {
    match fs::metadata(path) {
        Ok(file) => Ok(file.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(OpenError::Database(error.into())),
    }
}

/// The file beside the database that indexes the log.
fn shm_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-shm");
    PathBuf::from(name)
}

fn read(path: &Path, parameters: &str) -> Result<Option<KeyCheck>, OpenError> {
    let not_a_store = || OpenError::NotAStore(path.display().to_string());
    let found = (|| {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(uri(path, parameters), flags)?;
        let has = |name| -> rusqlite::Result<bool> {
            let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)";
            connection.query_row(sql, [name], |row| row.get(0))
        };
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables > 0 && !has("seaql_migrations")? {
            return Ok(None);
        }
        if !has("key_check")? {
            return Ok(Some(None));
        }
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?));
        connection.query_row("SELECT root_key, sealed FROM key_check", [], row).optional().map(Some)
    })();
    match found {
        Ok(None) => Err(not_a_store()),
        Ok(Some(None)) => Ok(None),
        Ok(Some(Some((root_key, sealed)))) => {
            let root_key = root_key.try_into().map_err(|_| OpenError::Corrupt("its key check".to_owned()))?;
            Ok(Some(KeyCheck { root_key: RootKeyId(root_key), sealed }))
        }
        Err(error) if is_not_a_database(&error) => Err(not_a_store()),
        Err(error) => Err(error.into()),
    }
}

/// The path as SQLite takes it with parameters.
fn uri(path: &Path, parameters: &str) -> OsString {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    format!("{uri}?{parameters}").into()
}
