//! Looking at a file leaves its directory as it is, byte for byte.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::file;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use strongroom_domain::unit::Change;
use strongroom_store_sql::{OpenError, peek_key_check};
use strongroom_testkit::{build, units};

fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.expect("readable");
        (entry.file_name().into_string().expect("text"), fs::read(entry.path()).expect("readable"))
    };
    fs::read_dir(folder).expect("readable").map(read).collect()
}

/// A copy of a folder as a crash of the machine would leave it.
fn crashed(folder: &Path, without: &str) -> tempfile::TempDir {
    // A name that a URI would take for its own.
    let copy = tempfile::Builder::new().prefix("a b?%c#ü").tempdir().expect("a folder");
    for (name, bytes) in bytes(folder) {
        if name != without {
            fs::write(copy.path().join(name), bytes).expect("written");
        }
    }
    copy
}

#[tokio::test]
async fn looking_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(folder.path());
    assert!(peek_key_check(&path).expect("no file").is_none());
    assert!(bytes(folder.path()).is_empty());

    let opened = common::open(folder.path()).await;
    let half = crashed(folder.path(), "");
    let before = bytes(half.path());
    assert!(peek_key_check(&file(half.path())).expect("a schema alone").is_none());
    assert_eq!(bytes(half.path()), before);

    let check = build::key_check();
    opened.ports().commit(units::of(vec![Change::InsertKeyCheck(check.clone())])).await;
    for without in ["", "strongroom.db-shm"] {
        let crashed = crashed(folder.path(), without);
        let before = bytes(crashed.path());
        assert!(!before["strongroom.db-wal"].is_empty(), "the log holds the check");
        assert_eq!(peek_key_check(&file(crashed.path())).expect("readable"), Some(check.clone()));
        assert_eq!(bytes(crashed.path()), before);
    }

    opened.writer.close().await;
    drop(opened);
    let before = bytes(folder.path());
    assert_eq!(peek_key_check(&path).expect("readable"), Some(check.clone()));
    assert_eq!(bytes(folder.path()), before);
}

/// A crash may come when the log was begun anew, and its index is still of the one before.
#[tokio::test]
async fn an_index_of_the_log_before_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = common::open(folder.path()).await;
    let check = build::key_check();
    opened.ports().commit(units::of(vec![Change::InsertKeyCheck(check.clone())])).await;
    let with_frames = crashed(folder.path(), "");
    opened.writer.close().await;
    drop(opened);

    let (log, index) = ("strongroom.db-wal", "strongroom.db-shm");
    let mut old_index = fs::read(with_frames.path().join(index)).expect("readable");
    for header in [0, 48] {
        for byte in &mut old_index[header + 32..header + 40] {
            *byte ^= 0xff;
        }
    }
    fs::write(with_frames.path().join(index), &old_index).expect("written");
    let header_only = crashed(folder.path(), "");
    let mut header = fs::read(with_frames.path().join(log)).expect("readable");
    header.truncate(32);
    fs::write(header_only.path().join(log), header).expect("written");
    fs::write(header_only.path().join(index), &old_index).expect("written");
    for crashed in [with_frames, header_only] {
        assert_eq!(peek_key_check(&file(crashed.path())).expect("readable"), Some(check.clone()));
    }
}

#[test]
fn what_belongs_to_others_is_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(folder.path());
    fs::write(&path, [b'x'; 4096]).expect("written");
    assert!(matches!(peek_key_check(&path), Err(OpenError::NotAStore(_))));
    fs::remove_file(&path).expect("removed");
    let other = rusqlite::Connection::open(&path).expect("opens");
    other.execute_batch("CREATE TABLE recipes (title TEXT)").expect("made");
    drop(other);
    assert!(matches!(peek_key_check(&path), Err(OpenError::NotAStore(_))));
}
