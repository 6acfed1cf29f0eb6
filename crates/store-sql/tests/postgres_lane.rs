//! What the lanes of a PostgreSQL store keep: streams, accesses, and what is gone.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "postgres_lane/in_doubt.rs"]
mod in_doubt;
mod postgres_node;

use postgres_node::DEAD;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use strongroom_domain::audit::{Action, AuditRecord, ChainState, ChainedRecord, Resource, ResourceKind};
use strongroom_domain::port::{
    Access, AccessErrorKind, AccessLog, AuditLog, AuditReader, CommitErrorKind, Committer, SecretReader,
};
use strongroom_domain::secret::Secret;
use strongroom_domain::time::Timestamp;
use strongroom_store_sql::{PostgresOptions, PostgresStore, PostgresWriter};
use strongroom_test_postgres::{Cluster, Database, Mode, database};
use strongroom_testkit::{FixedSigner, SequentialIds, build, units};
use uuid::Uuid;

struct Node {
    store: PostgresStore,
    writer: Arc<PostgresWriter>,
}

async fn open_with(options: PostgresOptions, node: u64) -> Node {
    let store = PostgresStore::open(options).await.expect("opens");
    let writer = store.writer(Arc::new(FixedSigner), Arc::new(SequentialIds::of_node(node))).await.expect("starts");
    Node { store, writer: Arc::new(writer) }
}

fn options(url: &str) -> PostgresOptions {
    let mut options = PostgresOptions::parse(url).expect("a URL").create();
    options.lanes = 2;
    options
}

async fn open_one_lane(url: &str) -> Node {
    let mut options = options(url);
    options.lanes = 1;
    open_with(options, 1).await
}

async fn open(url: &str, node: u64) -> Node {
    open_with(options(url), node).await
}

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

impl Node {
    async fn insert(&self, path: &str) -> Secret {
        let secret = build::secret(build::scope(), path);
        self.writer.commit(units::insert(&secret)).await.expect("inserted");
        secret
    }

    /// All streams, each checked from its first record to its last, which is signed.
    async fn streams(&self) -> Vec<Vec<ChainedRecord>> {
        let mut streams = Vec::new();
        for stream in self.store.streams().await.expect("readable") {
            let records = self.store.records(stream, 0, 100_000).await.expect("readable");
            let mut chain = ChainState::begin(stream);
            for record in &records {
                chain = chain.after(&record.canonical);
                assert_eq!((record.sequence, record.hash), (chain.sequence, chain.hash));
                if let Some(signature) = &record.signature {
                    assert!(FixedSigner::verify(&chain.signed_bytes(), signature));
                }
            }
            assert!(records.last().is_some_and(|record| record.signature.is_some()), "no stream is empty or unsigned");
            streams.push(records);
        }
        streams
    }

    async fn events(&self) -> Vec<Uuid> {
        self.streams().await.into_iter().flatten().map(|record| record.record.event.uuid()).collect()
    }

    async fn last_access(&self, secret: &Secret) -> Option<Timestamp> {
        let found = SecretReader::find(&self.store, &secret.scope, &secret.path).await.expect("readable");
        found.expect("there").last_accessed_at
    }
}

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..1_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never: {what}");
}

fn events(records: &[AuditRecord]) -> Vec<Uuid> {
    records.iter().map(|record| record.event.uuid()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lane_keeps_one_stream_and_a_restart_begins_new_ones() {
    let database = database();
    let mut wanted = BTreeSet::new();
    for round in 1..=2 {
        let node = open(database.url(), round).await;
        let mut calls = Vec::new();
        for caller in 0..8 {
            let writer = Arc::clone(&node.writer);
            calls.push(tokio::spawn(async move {
                let mut records = Vec::new();
                for number in 0..10 {
                    let secret = build::secret(build::scope(), &format!("/{round}/{caller}/{number}"));
                    let unit = units::insert(&secret);
                    records.extend(events(&unit.records));
                    writer.commit(unit).await.expect("inserted");
                    let access = access(&secret, 1);
                    records.extend(events(&access.records));
                    writer.record(access).await.expect("recorded");
                    let record = build::record(Action::SecretList);
                    records.push(record.event.uuid());
                    writer.enqueue(record).await.expect("queued");
                }
                records
            }));
        }
        for call in calls {
            wanted.extend(call.await.expect("no panic"));
        }
        node.writer.close().await;
        assert_eq!(node.streams().await.len() as u64, 2 * round);
        let found = node.events().await;
        assert_eq!(found.len(), wanted.len(), "each record is there once");
        assert_eq!(BTreeSet::from_iter(found), wanted);
    }
}

#[tokio::test]
async fn a_closed_store_takes_nothing() {
    let database = database();
    let node = open(database.url(), 1).await;
    let secret = node.insert("/a").await;
    node.writer.close().await;
    node.writer.close().await;
    let commit = node.writer.commit(units::insert(&build::secret(secret.scope, "/b"))).await;
    assert_eq!(commit.map_err(|error| error.kind().clone()), Err(CommitErrorKind::Unavailable));
    let record = node.writer.record(access(&secret, 1)).await;
    assert_eq!(record.map_err(|error| *error.kind()), Err(AccessErrorKind::Unavailable));
    assert!(node.writer.enqueue(build::record(Action::SecretList)).await.is_err());
    assert!(!node.writer.flush_accesses().await);
    assert_eq!(
        SecretReader::find(&node.store, &secret.scope, &secret.path).await.expect("readable"),
        Some(secret),
        "reading goes on"
    );
}

#[tokio::test]
async fn accesses_are_shown_here_at_once_and_elsewhere_after_a_flush() {
    let database = database();
    let (here, there) = (open(database.url(), 1).await, open(database.url(), 2).await);
    let secret = here.insert("/a").await;
    here.writer.record(access(&secret, 7)).await.expect("recorded");
    assert_eq!(here.last_access(&secret).await, Some(build::at(7)));
    assert!(here.writer.flush_accesses().await);
    assert_eq!(there.last_access(&secret).await, Some(build::at(7)));
    there.writer.record(access(&secret, 5)).await.expect("recorded");
    assert!(there.writer.flush_accesses().await);
    assert_eq!(here.last_access(&secret).await, Some(build::at(7)), "it never goes back");
    here.writer.record(access(&secret, 9)).await.expect("recorded");
    eventually("it is written by itself", async || there.last_access(&secret).await == Some(build::at(9))).await;
}

/// As after a crash: the records are there, but neither the table nor the positions.
#[tokio::test]
async fn accesses_behind_the_positions_are_read_again() {
    let database = database();
    let node = open(database.url(), 1).await;
    let secrets = [node.insert("/a").await, node.insert("/b").await];
    for (second, secret) in secrets.iter().enumerate() {
        node.writer.record(access(secret, 10 + second as i64)).await.expect("recorded");
    }
    node.writer.close().await;
    let reflected = "SELECT count(*) FROM audit_positions WHERE name = 'last-access'";
    assert_ne!(database.sql(reflected), [["0"]]);
    database.sql("DELETE FROM secret_access");
    let node = open(database.url(), 2).await;
    assert_eq!(node.last_access(&secrets[0]).await, None, "the positions say that nothing is missing");
    node.writer.close().await;
    database.sql("UPDATE audit_positions SET sequence = 0");
    let node = open(database.url(), 3).await;
    for (second, secret) in secrets.iter().enumerate() {
        assert_eq!(node.last_access(secret).await, Some(build::at(10 + second as i64)));
    }
    assert!(node.writer.flush_accesses().await);
    assert_eq!(database.sql("SELECT count(*) FROM audit_positions WHERE sequence = 0"), [["0"]]);
}

/// A statement that commits by itself hangs, and its connection is cut: whether it was stored can't be known.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_unknown_outcome_ends_the_stream() {
    let database = database();
    let node = open_one_lane(database.url()).await;
    let secret = node.insert("/a").await;
    node.writer.record(access(&secret, 1)).await.expect("recorded");
    let first = node.events().await;

    let held = lock(&database, "audit_records").await;
    let (lost, plain) = (access(&secret, 2), build::record(Action::SecretList));
    let writer = Arc::clone(&node.writer);
    let sent = lost.clone();
    let call = tokio::spawn(async move { writer.record(sent).await });
    wait_for_lock(&database).await;
    node.writer.enqueue(plain.clone()).await.expect("queued");
    cut(&database, WAITS_FOR_LOCK);
    let error = call.await.expect("no panic").expect_err("cut");
    assert_eq!(*error.kind(), AccessErrorKind::OutcomeUnknown, "{error}");
    assert_ne!(node.last_access(&secret).await, Some(build::at(2)));
    drop(held);

    node.writer.record(access(&secret, 3)).await.expect("recorded, over a new connection");
    eventually("the queued record is written", async || node.events().await.contains(&plain.event.uuid())).await;
    let streams = node.streams().await;
    assert_eq!(streams.len(), 2, "the next record begins another stream");
    let ended: Vec<Uuid> = streams[0].iter().map(|record| record.record.event.uuid()).collect();
    assert_eq!(ended, first);
}

const WAITS_FOR_LOCK: &str = "wait_event_type = 'Lock'";

/// The backends of this database that wait so.
fn backends(database: &Database, waits: &str) -> Vec<Vec<String>> {
    database.sql(&format!("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND {waits}"))
}

/// Ends their connections.
fn cut(database: &Database, waits: &str) {
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND";
    database.sql(&format!("{end} {waits}"));
}

async fn wait_for_lock(database: &Database) {
    eventually("the lane waits", async || backends(database, WAITS_FOR_LOCK).len() == 1).await;
}

/// Holds a table until it is dropped.
async fn lock(database: &Database, table: &'static str) -> sqlx::PgConnection {
    lock_at(database.url(), table).await
}

async fn lock_at(url: &str, table: &'static str) -> sqlx::PgConnection {
    use sqlx::{Connection, Executor};
    let mut connection = sqlx::PgConnection::connect(url).await.expect("connects");
    connection.execute("BEGIN").await.expect("begun");
    connection.execute(sqlx::AssertSqlSafe(format!("LOCK TABLE {table} IN EXCLUSIVE MODE"))).await.expect("locked");
    connection
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_is_used_again() {
    let cluster = Cluster::builder().set("fsync", "on").start();
    let database = cluster.database();
    let node = open(database.url(), 1).await;
    let secret = node.insert("/a").await;
    node.writer.record(access(&secret, 1)).await.expect("recorded");
    cluster.stop(Mode::Fast);
    for _ in 0..3 {
        let begun = tokio::time::timeout(Duration::from_secs(15), node.writer.record(access(&secret, 2))).await;
        let error = begun.expect("bounded").expect_err("down");
        assert!(matches!(error.kind(), AccessErrorKind::Unavailable | AccessErrorKind::OutcomeUnknown), "{error}");
    }
    let record = build::record(Action::SecretList);
    node.writer.enqueue(record.clone()).await.expect("queued meanwhile");
    let refused = build::secret(secret.scope, "/b");
    let error = node.writer.commit(units::insert(&refused)).await.expect_err("down");
    assert_eq!(error.kind(), &CommitErrorKind::Unavailable, "{error}");
    cluster.start_again();
    eventually("it writes again", async || node.writer.commit(units::insert(&refused)).await.is_ok()).await;
    eventually("the queued record is written", async || {
        node.store.streams().await.is_ok() && node.events().await.contains(&record.event.uuid())
    })
    .await;
}

#[tokio::test]
async fn what_was_erased_is_vacuumed() {
    let database = database();
    let node = open(database.url(), 1).await;
    let secret = node.insert("/a").await;
    database.sql("CREATE EXTENSION pageinspect");
    let vacuums = "SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'secret_versions'";
    let count = || database.sql(vacuums)[0][0].parse::<u32>().expect("a number");
    eventually("there is one at the start", async || count() > 0).await;
    let before = count();
    let (unit, _) = units::erase(&secret, build::number(1), None);
    node.writer.commit(unit).await.expect("erased");
    eventually("there is one after the erase", async || count() > before).await;
    eventually("nothing is left", async || database.sql(DEAD) == [["0"]]).await;
}
