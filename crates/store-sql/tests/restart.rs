//! What is there after a stop, a drop, and a crash.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{Opened, file};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use strongroom_domain::audit::{Action, ChainState, ChainedRecord, Resource, ResourceKind};
use strongroom_domain::port::{
    Access, AccessErrorKind, AccessLog, AuditLog as _, AuditReader as _, CommitErrorKind, Committer, IdGenerator as _,
};
use strongroom_domain::secret::Secret;
use strongroom_store_sql::{OpenOptions, SqliteStore};
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

/// How many records there are, each stream's chain checked from the first record to the last.
async fn sound_records(opened: &Opened, streams: usize) -> usize {
    let all = opened.ports().streams().await;
    assert_eq!(all.len(), streams);
    for records in &all {
        let mut chain = ChainState::begin(records[0].stream);
        for record in records {
            chain = chain.after(&record.canonical);
            assert_eq!((record.sequence, record.hash), (chain.sequence, chain.hash));
        }
        assert!(records.last().is_some_and(|record| record.signature.is_some()));
    }
    all.iter().map(Vec::len).sum()
}

#[tokio::test]
async fn each_start_writes_a_stream_of_its_own() {
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
        assert_eq!(sound_records(&again, round).await, round * 14, "what was queued is written before the lane ends");
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
            assert_eq!(sound_records(&after, 1).await, kept.len() * 3);
            let more = build::secret(kept[0].scope, "/after/the/crash");
            after.ports().insert(more).await;
            assert_eq!(sound_records(&after, 2).await, kept.len() * 3 + 1);
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

/// A store whose log's end was altered opens, leaves that end as it is, and writes a new stream.
async fn goes_on_in_a_new_stream(folder: &Path) {
    let dump = || -> Vec<(i64, Vec<u8>)> {
        let db = rusqlite::Connection::open(file(folder)).expect("opens");
        let mut rows = db.prepare("SELECT position, canonical FROM audit_records ORDER BY position").expect("reads");
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("reads");
        rows.collect::<Result<_, _>>().expect("reads")
    };
    let before = dump();
    let store = SqliteStore::open(OpenOptions::new(file(folder))).await.expect("opens");
    let ids = SequentialIds::new();
    (0..1_000).for_each(|_| {
        ids.next();
    });
    let writer = store.writer(Arc::new(FixedSigner), Arc::new(ids)).expect("opens");
    writer.enqueue(build::record(Action::SecretRead)).await.expect("queued");
    writer.close().await;
    let after = dump();
    assert_eq!(after[..before.len()], before);
    let streams = store.streams().await.expect("readable");
    assert_eq!((after.len(), streams.len()), (before.len() + 1, 2));
    let first = store.records(streams[1], 0, 10).await.expect("readable");
    assert_eq!((first.len(), first[0].hash), (1, ChainState::begin(streams[1]).after(&first[0].canonical).hash));
}

#[tokio::test]
async fn a_store_with_an_altered_end_of_the_log_opens() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = common::open(folder.path()).await;
    opened.ports().insert(build::secret(build::scope(), "/a")).await;
    opened.ports().insert(build::secret(build::scope(), "/b")).await;
    drop(opened);
    let db = rusqlite::Connection::open(file(folder.path())).expect("opens");
    let other = "UPDATE audit_records SET canonical = (SELECT canonical FROM audit_records WHERE sequence = 1)";
    db.execute(other, []).expect("altered");
    drop(db);
    goes_on_in_a_new_stream(folder.path()).await;
}

/// A record that somebody chained properly to the last one while the server was down: the next signature would make it true.
#[tokio::test]
async fn what_was_added_meanwhile_is_never_signed_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = common::open(folder.path()).await;
    opened.ports().insert(build::secret(build::scope(), "/a")).await;
    let last = opened.ports().streams().await.pop().and_then(|mut records| records.pop()).expect("a record");
    drop(opened);
    let added = ChainState { stream: last.stream, sequence: last.sequence, hash: last.hash }.after(&last.canonical);
    let db = rusqlite::Connection::open(file(folder.path())).expect("opens");
    let columns = "at, event, action, outcome, status";
    let sql = format!(
        "INSERT INTO audit_records (position, stream, sequence, hash, canonical, {columns})
         SELECT position + 1, stream, ?1, ?2, canonical, {columns} FROM audit_records WHERE sequence = ?3"
    );
    let values = rusqlite::params![added.sequence.cast_signed(), added.hash, last.sequence.cast_signed()];
    assert_eq!(db.execute(&sql, values), Ok(1));
    drop(db);
    goes_on_in_a_new_stream(folder.path()).await;
    let signed = "SELECT count(*) FROM audit_records WHERE sequence = ?1 AND signature IS NOT NULL";
    let signed: i64 = rusqlite::Connection::open(file(folder.path()))
        .and_then(|db| db.query_row(signed, [added.sequence.cast_signed()], |row| row.get(0)))
        .expect("readable");
    assert_eq!(signed, 0);
}

/// Logs three records and removes the first two.
async fn shortened(folder: &Path) -> Vec<ChainedRecord> {
    let opened = common::open(folder).await;
    let ports = opened.ports();
    let logged = ports.log((0..3).map(|_| build::record(Action::SecretRead)).collect()).await;
    ports.commit(units::silent(vec![units::index(&logged), units::remove_records(&logged[..2])])).await;
    opened.writer.close().await;
    logged
}

#[tokio::test]
async fn it_opens_also_when_everything_before_that_end_was_removed() {
    for other in [
        "UPDATE audit_records SET canonical = x'00'",
        "UPDATE audit_records SET hash = 'text'",
        "UPDATE audit_records SET hash = zeroblob(32)",
        "UPDATE audit_positions SET hash = zeroblob(32) WHERE name = 'retention'",
        "UPDATE audit_positions SET hash = NULL WHERE name = 'retention'",
        "UPDATE audit_positions SET sequence = 1 WHERE name = 'retention'",
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        shortened(folder.path()).await;
        let db = rusqlite::Connection::open(file(folder.path())).expect("opens");
        assert_eq!(db.execute(other, []), Ok(1));
        drop(db);
        goes_on_in_a_new_stream(folder.path()).await;
    }
}
