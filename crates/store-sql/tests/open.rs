//! What a store makes of the file it is given.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::file;
use std::fs;
use std::sync::Arc;
use strongroom_domain::port::SetupReader;
use strongroom_domain::unit::Change;
use strongroom_store_sql::{OpenError, OpenOptions, SqliteStore};
use strongroom_testkit::{FixedSigner, SequentialIds, build, units};

async fn refusal(options: OpenOptions) -> OpenError {
    match SqliteStore::open(options).await {
        Ok(_) => panic!("opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn nothing_is_made_where_nothing_was_to_be_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(folder.path());
    assert!(
        matches!(refusal(OpenOptions::new(&path)).await, OpenError::Absent(absent) if absent == path.display().to_string())
    );
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let opened = common::open(folder.path()).await;
    opened.ports().commit(units::insert(&build::secret(build::scope(), "/a"))).await;
    let mut seen = 0;
    for entry in fs::read_dir(folder.path()).expect("readable") {
        let entry = entry.expect("readable");
        let mode = entry.metadata().expect("readable").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
        seen += 1;
    }
    assert_eq!(seen, 3, "the database, its log, and the log's index");
}

#[tokio::test]
async fn what_belongs_to_others_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(folder.path());
    let text =
        b"dear diary, this is no database at all, and it is longer than a header of one hundred bytes is, yes it is";
    fs::write(&path, text).expect("written");
    assert!(matches!(refusal(OpenOptions::new(&path).create()).await, OpenError::NotAStore(_)));
    assert_eq!(fs::read(&path).expect("readable"), text);

    fs::remove_file(&path).expect("removed");
    let other = rusqlite::Connection::open(&path).expect("opens");
    other.execute_batch("CREATE TABLE recipes (title TEXT)").expect("made");
    drop(other);
    let before = fs::read(&path).expect("readable");
    assert!(matches!(refusal(OpenOptions::new(&path).create()).await, OpenError::NotAStore(_)));
    assert_eq!(fs::read(&path).expect("readable"), before);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    common::open(folder.path()).await.writer.close().await;
    let path = file(folder.path());
    let newer = rusqlite::Connection::open(&path).expect("opens");
    newer
        .execute("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m0999_far_future', 0)", [])
        .expect("written");
    drop(newer);
    let error = refusal(OpenOptions::new(&path)).await;
    assert!(matches!(&error, OpenError::Newer { step } if step == "m0999_far_future"), "{error}");
}

#[tokio::test]
async fn a_store_that_is_there_opens_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = common::open(folder.path()).await;
    let check = build::key_check();
    first.ports().commit(units::of(vec![Change::InsertKeyCheck(check.clone())])).await;
    let second = first.store.writer(Arc::new(FixedSigner), Arc::new(SequentialIds::new()));
    assert!(matches!(second, Err(OpenError::WriterExists)));
    drop(first);
    for options in [OpenOptions::new(file(folder.path())), OpenOptions::new(file(folder.path())).create()] {
        let store = SqliteStore::open(options).await.expect("opens");
        assert_eq!(store.key_check().await.expect("readable"), Some(check.clone()));
    }
}
