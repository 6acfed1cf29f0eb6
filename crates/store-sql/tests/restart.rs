//! What is there after a stop, a drop, and a crash.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{Opened, file};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use strongroom_domain::audit::{Action, ChainState, ChainedRecord, Resource, ResourceKind};
use strongroom_domain::port::{Access, AccessErrorKind, AccessLog, AuditLog, CommitErrorKind, Committer};
use strongroom_domain::secret::Secret;
use strongroom_store_sql::{OpenError, OpenOptions, SqliteStore};
use strongroom_testkit::{FixedSigner, SequentialIds, build, units};

/// An access whose first record names what was accessed, as the engine's does.
fn access(secret: &Secret, second: i64) -> Access {
    let mut access = build::access(secret, 1, build::at(second));
    access.records[0].at = build::at(second);
    access.records[0].resource = Some(Resource {
        kind: ResourceKind::Secret,
        identity: secret.path.as_str().to_owned(),
        id: Some(secret.id.uuid()),
        version: Some(1),
    });
    access
}

/// The only stream, its chain checked from the first record to the last.
async fn the_stream(opened: &Opened) -> Vec<ChainedRecord> {
    let mut streams = opened.ports().streams().await;
    assert_eq!(streams.len(), 1);
    let records = streams.remove(0);
    let mut chain = ChainState::begin(records[0].stream);
    for record in &records {
        chain = chain.after(&record.canonical);
        assert_eq!((record.sequence, record.hash), (chain.sequence, chain.hash));
    }
    assert!(records.last().is_some_and(|record| record.signature.is_some()));
    records
}

#[tokio::test]
async fn the_stream_goes_on_where_it_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut paths = 0;
    for round in 1..=3 {
        let opened = common::open(folder.path()).await;
        for _ in 0..4 {
            paths += 1;
            opened.ports().commit(units::insert(&build::secret(build::scope(), &format!("/{paths}")))).await;
        }
        for _ in 0..10 {
            opened.writer.enqueue(build::record(Action::SecretList)).await.expect("queued");
        }
        if round % 2 == 0 {
            opened.writer.close().await;
        }
        drop(opened);
        let again = SqliteStore::open(OpenOptions::new(file(folder.path()))).await.expect("opens");
        let writer = again.writer(Arc::new(FixedSigner), Arc::new(SequentialIds::new())).expect("starts");
        let again = Opened { store: Arc::new(again), writer: Arc::new(writer) };
        assert_eq!(the_stream(&again).await.len(), round * 14, "what was queued is written before the lane ends");
    }
}

#[tokio::test]
async fn a_closed_store_takes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = common::open(folder.path()).await;
    let secret = opened.ports().insert(build::secret(build::scope(), "/a")).await;
    opened.writer.close().await;
    opened.writer.close().await;
    let commit = opened.writer.commit(units::insert(&build::secret(secret.scope, "/b"))).await;
    assert_eq!(commit.map_err(|error| error.kind().clone()), Err(CommitErrorKind::Unavailable));
    let record = opened.writer.record(access(&secret, 1)).await;
    assert_eq!(record.map_err(|error| *error.kind()), Err(AccessErrorKind::Unavailable));
    assert!(opened.writer.enqueue(build::record(Action::SecretList)).await.is_err());
    assert_eq!(opened.ports().find(&secret).await, Some(secret), "reading goes on");
    let log = fs::metadata(folder.path().join("strongroom.db-wal")).map_or(0, |log| log.len());
    assert_eq!(log, 0);
}

/// The files as a crash would leave them at this moment: without the index of the log, which lives in memory.
fn crash_copy(from: &Path, to: &Path) {
    for name in ["strongroom.db", "strongroom.db-wal"] {
        fs::copy(from.join(name), to.join(name)).expect("copied");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_a_crash() {
    let folder = tempfile::tempdir().expect("a folder");
    // The log isn't written back meanwhile, so the copy, main file first, is what a crash between two commits leaves.
    let options = OpenOptions { wal_bytes: u64::MAX / 8, ..OpenOptions::new(file(folder.path())).create() };
    let opened = common::open_with(options).await;
    let mut kept = Vec::new();
    for index in 0..40 {
        let secret = opened.ports().insert(build::secret(build::scope(), &format!("/{index}"))).await;
        opened.writer.record(access(&secret, 100 + index)).await.expect("recorded");
        kept.push(secret);
        if index % 10 == 9 {
            let copy = tempfile::tempdir().expect("a folder");
            crash_copy(folder.path(), copy.path());
            let after = common::open(copy.path()).await;
            for (second, secret) in (100..).zip(&kept) {
                let found = after.ports().find(secret).await.expect("there");
                assert_eq!(found.last_accessed_at, Some(build::at(second)), "{}", secret.path);
            }
            assert_eq!(the_stream(&after).await.len(), kept.len() * 3);
            let more = build::secret(kept[0].scope, "/after/the/crash");
            after.ports().insert(more).await;
            assert_eq!(the_stream(&after).await.len(), kept.len() * 3 + 1);
        }
    }
}

#[tokio::test]
async fn last_accesses_are_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = common::open(folder.path()).await;
    let secrets: Vec<Secret> = (0..600).map(|index| build::secret(build::scope(), &format!("/{index}"))).collect();
    for (second, secret) in (1..).zip(&secrets) {
        opened.ports().commit(units::insert(secret)).await;
        opened.writer.record(access(secret, second)).await.expect("recorded");
    }
    opened.ports().commit(units::delete(&secrets[0])).await;
    drop(opened);
    let opened = common::open(folder.path()).await;
    for (second, secret) in (1..).zip(&secrets).skip(1) {
        let found = opened.ports().find(secret).await.expect("there");
        assert_eq!(found.last_accessed_at, Some(build::at(second)));
    }
    drop(opened);
    let rows: i64 = rusqlite::Connection::open(file(folder.path()))
        .and_then(|db| db.query_row("SELECT count(*) FROM secret_access", [], |row| row.get(0)))
        .expect("readable");
    assert_eq!(rows, 2 * 599, "the deleted secret has left nothing");
}

#[tokio::test]
async fn an_altered_end_of_the_log_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = common::open(folder.path()).await;
    opened.ports().insert(build::secret(build::scope(), "/a")).await;
    opened.ports().insert(build::secret(build::scope(), "/b")).await;
    drop(opened);
    let db = rusqlite::Connection::open(file(folder.path())).expect("opens");
    let other = "UPDATE audit_records SET canonical = (SELECT canonical FROM audit_records WHERE sequence = 1)";
    db.execute(other, []).expect("altered");
    drop(db);
    let store = SqliteStore::open(OpenOptions::new(file(folder.path()))).await.expect("opens");
    let writer = store.writer(Arc::new(FixedSigner), Arc::new(SequentialIds::new()));
    assert!(matches!(writer, Err(OpenError::Corrupt(_))));
}
