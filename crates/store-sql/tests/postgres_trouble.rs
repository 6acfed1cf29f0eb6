//! What a PostgreSQL store does about locked rows, refused records, races, and streams that can't begin.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::sync::Arc;
use std::time::Duration;
use strongroom_domain::audit::{Action, Resource, ResourceKind};
use strongroom_domain::lease::{LeaseName, LeaseTtl};
use strongroom_domain::port::{
    AccessErrorKind, AccessLog, AuditLog, AuditReader, CommitErrorKind, Committer, LeaseErrorKind, Leases, SecretReader,
};
use strongroom_domain::secret::Secret;
use strongroom_store_sql::{PostgresOptions, PostgresStore, PostgresWriter};
use strongroom_test_postgres::{Cluster, Database, database};
use strongroom_testkit::{FixedSigner, SequentialIds, build, units};
use uuid::Uuid;

struct Node {
    store: Arc<PostgresStore>,
    writer: Arc<PostgresWriter>,
}

/// With one lane, so that everything meets there.
async fn open(database: &Database, node: u64, lock_timeout: u64) -> Node {
    let mut options = PostgresOptions::parse(database.url()).expect("a URL").create();
    options.lanes = 1;
    options.lock_timeout = Duration::from_secs(lock_timeout);
    options.statement_timeout = Duration::from_secs(20);
    open_with(options, node).await
}

async fn open_with(options: PostgresOptions, node: u64) -> Node {
    let store = PostgresStore::open(options).await.expect("opens");
    let writer = store.writer(Arc::new(FixedSigner), Arc::new(SequentialIds::of_node(node))).await.expect("starts");
    Node { store: Arc::new(store), writer: Arc::new(writer) }
}

impl Node {
    async fn insert(&self, path: &str) -> Secret {
        let secret = build::secret(build::scope(), path);
        self.writer.commit(units::insert(&secret)).await.expect("inserted");
        secret
    }

    async fn append(&self, secret: &mut Secret) {
        let (unit, state) = units::append(secret);
        self.writer.commit(unit).await.expect("appended");
        *secret = state;
    }

    async fn reveal(&self, secret: &Secret) -> Result<(), AccessErrorKind> {
        let access = build::access(secret, 1, build::at(1));
        self.writer.record(access).await.map_err(|error| *error.kind())
    }

    async fn streams(&self) -> usize {
        self.store.streams().await.expect("readable").len()
    }
}

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..1_500 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never: {what}");
}

/// A session with an open transaction that did this.
async fn hold(database: &Database, sql: String) -> PgConnection {
    let mut connection = PgConnection::connect(database.url()).await.expect("connects");
    connection.execute("BEGIN").await.expect("begun");
    connection.execute(AssertSqlSafe(sql)).await.expect("done");
    connection
}

fn row(secret: &Secret) -> String {
    format!("SELECT FROM secrets WHERE id = '{}' FOR UPDATE", secret.id.uuid())
}

fn count(database: &Database, sql: &str) -> u64 {
    database.sql(sql)[0][0].parse().expect("a number")
}

fn is_written(database: &Database, event: Uuid) -> bool {
    count(database, &format!("SELECT count(*) FROM audit_records WHERE event = '{event}'")) == 1
}

const LAST_ORDINAL: &str = "SELECT last_value FROM pg_sequences WHERE sequencename LIKE 'audit_streams%'";

#[tokio::test(flavor = "multi_thread")]
async fn failed_writes_use_up_no_streams() {
    let database = database();
    let node = open(&database, 1, 5).await;
    let secret = node.insert("/a").await;
    node.writer.close().await;
    let node = open(&database, 2, 5).await;
    database.sql("ALTER TABLE audit_records ADD CONSTRAINT refuse CHECK (false) NOT VALID");
    for _ in 0..20 {
        assert_eq!(node.reveal(&secret).await, Err(AccessErrorKind::Unavailable));
    }
    database.sql("ALTER TABLE audit_records DROP CONSTRAINT refuse");
    node.reveal(&secret).await.expect("recorded");
    assert_eq!(node.streams().await, 2);
    let last = count(&database, LAST_ORDINAL);
    assert!(last <= 3, "the failed writes took {last} ordinals");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_place_for_another_stream_is_told_and_loses_nothing() {
    let database = database();
    let node = open(&database, 1, 5).await;
    let mut secret = node.insert("/a").await;
    node.writer.close().await;
    let last = "SELECT setval(pg_get_serial_sequence('audit_streams', 'ordinal'), 524286)";
    database.sql(last);
    let node = open(&database, 2, 5).await;
    node.append(&mut secret).await;
    node.reveal(&secret).await.expect("the last stream has a place");
    node.writer.close().await;

    let node = open(&database, 3, 5).await;
    let record = build::record(Action::SecretList);
    node.writer.enqueue(record.clone()).await.expect("queued");
    for _ in 0..3 {
        let access = build::access(&secret, 1, build::at(1));
        let error = node.writer.record(access).await.expect_err("no place");
        assert_eq!(*error.kind(), AccessErrorKind::Unavailable);
        assert!(error.to_string().contains("setval"), "{error}");
    }
    assert!(!is_written(&database, record.event.uuid()));
    database.sql("SELECT setval(pg_get_serial_sequence('audit_streams', 'ordinal'), 1000)");
    eventually("the queued record is written", async || is_written(&database, record.event.uuid())).await;
    node.reveal(&secret).await.expect("recorded");
    assert_eq!(node.streams().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_refused_is_kept_and_holds_nobody_up() {
    let database = database();
    let node = open(&database, 1, 5).await;
    let mut secret = node.insert("/a").await;
    let (refused, taken) = (build::record(Action::SecretList), build::record(Action::SecretList));
    let event = refused.event.uuid();
    database.sql(&format!("ALTER TABLE audit_records ADD CONSTRAINT refuse CHECK (event <> '{event}')"));
    node.writer.enqueue(refused).await.expect("queued");
    for _ in 0..10 {
        node.append(&mut secret).await;
        node.reveal(&secret).await.expect("recorded");
    }
    node.writer.enqueue(taken.clone()).await.expect("queued");
    eventually("what comes later is written", async || is_written(&database, taken.event.uuid())).await;
    assert!(!is_written(&database, event));
    database.sql("ALTER TABLE audit_records DROP CONSTRAINT refuse");
    eventually("it is written too", async || is_written(&database, event)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_secret_holds_no_other_up() {
    let database = database();
    let node = open(&database, 1, 60).await;
    let mut other = node.insert("/other").await;
    // Appended to in one statement, destroyed in a transaction, and inserted where another transaction inserts.
    let (appended, erased) = (node.insert("/appended").await, node.insert("/erased").await);
    let fresh = build::secret(other.scope, "/fresh");
    let theirs = Uuid::from_u128(77);
    let copy = format!(
        "INSERT INTO secrets SELECT (jsonb_populate_record(s, jsonb_build_object('id', '{theirs}', 'path', '/fresh'))).*
         FROM secrets s WHERE path = '/other'"
    );
    let mut holder = hold(&database, row(&appended)).await;
    holder.execute(AssertSqlSafe(row(&erased))).await.expect("locked");
    holder.execute(AssertSqlSafe(copy)).await.expect("inserted");

    let mut calls = Vec::new();
    for unit in [units::append(&appended).0, units::erase(&erased, build::number(1), None).0, units::insert(&fresh)] {
        let writer = Arc::clone(&node.writer);
        calls.push(tokio::spawn(async move { writer.commit(unit).await }));
    }
    for round in 0..30 {
        node.append(&mut other).await;
        node.reveal(&other).await.expect("recorded");
        node.reveal(&appended).await.expect("what is committed may be read");
        node.insert(&format!("/meanwhile/{round}")).await;
    }
    let finished: Vec<bool> = calls.iter().map(tokio::task::JoinHandle::is_finished).collect();
    assert_eq!(finished, [false; 3], "the rows are locked still");
    holder.execute("ROLLBACK").await.expect("released");
    for call in calls {
        call.await.expect("no panic").expect("done when the lock is gone");
    }
}

/// Those that share a batch with a locked one are done, however many they are.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_shares_a_batch_with_a_locked_secret_is_done() {
    let database = database();
    let node = open(&database, 1, 1).await;
    let locked = node.insert("/locked").await;
    let mut free = Vec::new();
    for number in 0..150 {
        free.push(node.insert(&format!("/free/{number}")).await);
    }
    let mut holder = hold(&database, row(&locked)).await;
    // A first one keeps the lane busy, so that the others are queued together.
    let mut calls = Vec::new();
    for secret in std::iter::once(&locked).chain(&free) {
        let (writer, unit) = (Arc::clone(&node.writer), units::append(secret).0);
        calls.push(tokio::spawn(async move { writer.commit(unit).await }));
    }
    let mut refused = 0;
    for call in calls {
        refused += usize::from(call.await.expect("no panic").is_err());
    }
    assert_eq!(refused, 1, "only the locked one");
    holder.execute("ROLLBACK").await.expect("released");
    node.reveal(&locked).await.expect("nothing of it was done");
}

/// A lock on the whole table holds all up, but nobody much longer than that.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_lock_that_is_gone_holds_nobody_up() {
    let database = database();
    let node = open(&database, 1, 2).await;
    let secret = node.insert("/a").await;
    let mut holder = hold(&database, "LOCK TABLE secrets IN SHARE MODE".to_owned()).await;
    let (writer, unit) = (Arc::clone(&node.writer), units::append(&secret).0);
    let call = tokio::spawn(async move { writer.commit(unit).await });
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    holder.execute("ROLLBACK").await.expect("released");
    let answer = tokio::time::timeout(Duration::from_secs(3), call).await.expect("soon after the lock is gone");
    answer.expect("no panic").expect("done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_waited_for_no_longer_than_allowed() {
    let database = database();
    let node = open(&database, 1, 1).await;
    let mut secrets = Vec::new();
    for path in ["/a", "/b"] {
        secrets.push(node.insert(path).await);
    }
    let mut holder = hold(&database, row(&secrets[0])).await;
    for _ in 0..2 {
        // The second begins behind what the first left.
        let error = node.writer.commit(units::append(&secrets[0]).0).await.expect_err("locked");
        assert_eq!(error.kind(), &CommitErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains("lock timeout"), "{error}");
    }
    let (first, second) = (units::append(&secrets[0]).0, units::append(&secrets[0]).0);
    let (first, second) = tokio::join!(node.writer.commit(first), node.writer.commit(second));
    assert!(first.is_err() && second.is_err(), "both wait for the same row");
    holder.execute("ROLLBACK").await.expect("released");
    for secret in &mut secrets {
        node.append(secret).await;
    }
    let written = "SELECT count(*) FROM secret_versions";
    assert_eq!(count(&database, written), 4, "what was refused was not written");
}

/// Another node changes a secret after the one statement has seen it, and before it comes to it.
#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_loses_its_race_leaves_nothing() {
    let cluster = Cluster::builder().in_memory().start();
    let database = cluster.database();
    let node = open(&database, 1, 5).await;
    let mut secrets = Vec::new();
    for path in ["/a", "/b", "/c", "/gate"] {
        secrets.push(node.insert(path).await);
    }
    let gate = secrets.pop().expect("the last");
    // The statement goes through them in this order, and takes its time with the first.
    secrets.sort_unstable_by_key(|secret| secret.id);
    database.sql(&format!(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$;
         CREATE TRIGGER wait BEFORE UPDATE ON secrets FOR EACH ROW WHEN (OLD.id IN ('{}', '{}')) EXECUTE FUNCTION wait()",
        secrets[0].id.uuid(),
        gate.id.uuid(),
    ));
    let call = |secret: &Secret| {
        let (writer, unit) = (Arc::clone(&node.writer), units::append(secret).0);
        tokio::spawn(async move { writer.commit(unit).await })
    };
    let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    // While the lane is busy with it, the others are queued for one batch.
    let gate = call(&gate);
    eventually("the lane is busy", async || count(&database, sleeps) == 1).await;
    let calls: Vec<_> = secrets.iter().map(&call).collect();
    gate.await.expect("no panic").expect("appended");
    eventually("the statement is on its way", async || count(&database, sleeps) == 1).await;
    let contested = secrets[2].id;
    database.sql(&format!("UPDATE secrets SET revision = revision + 1 WHERE id = '{}'", contested.uuid()));
    for (call, secret) in calls.into_iter().zip(&secrets) {
        let answer = call.await.expect("no panic");
        let versions = format!("SELECT count(*) FROM secret_versions WHERE secret = '{}'", secret.id.uuid());
        if secret.id == contested {
            let error = answer.expect_err("changed by another");
            assert!(matches!(error.kind(), CommitErrorKind::Conflict(_)), "{error}");
            assert_eq!(count(&database, &versions), 1);
        } else {
            answer.expect("appended");
            assert_eq!(count(&database, &versions), 2);
        }
        let found = node.store.find(&secret.scope, &secret.path).await.expect("readable").expect("there");
        assert_eq!(found.state.revision, secret.state.revision.next(), "changed once, by whomever");
    }
    assert!(cluster.log().contains("division by zero"), "the race was not lost within the statement");
}

const VACUUMS: &str = "SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'secret_versions'";
const DEAD: &str = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'secret_versions'";

async fn open_vacuumed(database: &Database) -> Node {
    let node = open(database, 1, 5).await;
    eventually("there is one at the start", async || count(database, VACUUMS) == 1).await;
    node
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erase_of_unknown_outcome_is_vacuumed() {
    // Of its own: a transaction of another test would hold up the vacuum.
    let cluster = Cluster::builder().in_memory().start();
    let database = cluster.database();
    let node = open_vacuumed(&database).await;
    let secret = node.insert("/a").await;
    database.sql(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER wait AFTER UPDATE ON secret_versions DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION wait()",
    );
    let (writer, unit) = (Arc::clone(&node.writer), units::erase(&secret, build::number(1), None).0);
    let call = tokio::spawn(async move { writer.commit(unit).await });
    let sleeps = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                  WHERE datname = current_database() AND wait_event = 'PgSleep'";
    eventually("its commit is cut", async || !database.sql(sleeps).is_empty()).await;
    let error = call.await.expect("no panic").expect_err("cut");
    assert_eq!(error.kind(), &CommitErrorKind::OutcomeUnknown, "{error}");
    eventually("there is one after it", async || count(&database, VACUUMS) == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_takes_out_what_was_just_erased() {
    // Of its own: a transaction of another test would hold up the vacuum.
    let cluster = Cluster::builder().in_memory().start();
    let database = cluster.database();
    let node = open_vacuumed(&database).await;
    let secret = node.insert("/a").await;
    node.writer.commit(units::erase(&secret, build::number(1), None).0).await.expect("erased");
    node.writer.close().await;
    assert_eq!((count(&database, VACUUMS), count(&database, DEAD)), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn vacuum_waits_for_whoever_still_sees_what_was_erased() {
    // Of its own: a transaction of another test would hold up the vacuum.
    let cluster = Cluster::builder().in_memory().start();
    let database = cluster.database();
    let node = open_vacuumed(&database).await;
    let secret = node.insert("/a").await;
    // As pg_dump: it reads, and writes nothing.
    let mut reader = PgConnection::connect(database.url()).await.expect("connects");
    reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ").await.expect("begun");
    reader.execute("SELECT FROM secrets").await.expect("read");
    node.writer.commit(units::erase(&secret, build::number(1), None).0).await.expect("erased");
    eventually("it is tried at once", async || count(&database, VACUUMS) == 2).await;
    assert_ne!(count(&database, DEAD), 0);
    // Longer than any two tries are apart.
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(count(&database, VACUUMS), 2, "in vain it is not repeated");
    reader.execute("ROLLBACK").await.expect("ended");
    eventually("it is repeated", async || count(&database, DEAD) == 0).await;
    assert_eq!(count(&database, VACUUMS), 3);
}

/// As after a crash, behind more streams than one statement looks at.
#[tokio::test(flavor = "multi_thread")]
async fn accesses_are_read_again_behind_many_streams() {
    let database = database();
    let node = open(&database, 1, 5).await;
    let secret = node.insert("/a").await;
    node.writer.close().await;
    database.sql("INSERT INTO audit_streams (id) SELECT gen_random_uuid() FROM generate_series(1, 2500)");
    let node = open(&database, 2, 5).await;
    let mut access = build::access(&secret, 1, build::at(7));
    access.records[0].at = build::at(7);
    access.records[0].resource = Some(Resource {
        kind: ResourceKind::Secret,
        identity: secret.path.as_str().to_owned(),
        id: Some(secret.id.uuid()),
        version: Some(1),
    });
    node.writer.record(access).await.expect("recorded");
    node.writer.close().await;
    database.sql("DELETE FROM secret_access; UPDATE audit_positions SET sequence = 0");
    let node = open(&database, 3, 5).await;
    let found = node.store.find(&secret.scope, &secret.path).await.expect("readable").expect("there");
    assert_eq!(found.last_accessed_at, Some(build::at(7)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_answered_although_the_server_hangs() {
    let database = database();
    let mut options = PostgresOptions::parse(database.url()).expect("a URL").create();
    options.statement_timeout = Duration::from_secs(1);
    let node = open_with(options, 1).await;
    let (name, ttl) = (LeaseName::Housekeeping, LeaseTtl::new(Duration::from_secs(60)).expect("a life"));
    let holder = Uuid::from_u128(1);
    node.store.acquire(name, holder, ttl).await.expect("answered").expect("acquired");
    let session =
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'INSERT INTO leases%'";
    let session = database.sql(session)[0][0].clone();
    let signal = |signal: &str| {
        let done = std::process::Command::new("kill").args([signal, &session]).status().expect("kill");
        assert!(done.success());
    };
    signal("-STOP");
    let answer = tokio::time::timeout(Duration::from_secs(30), node.store.acquire(name, holder, ttl)).await;
    signal("-CONT");
    let error = answer.expect("answered").expect_err("not by the database");
    assert_eq!(error.kind(), &LeaseErrorKind::OutcomeUnknown, "{error}");
    node.store.acquire(name, holder, ttl).await.expect("answered").expect("acquired, over a new connection");
}
