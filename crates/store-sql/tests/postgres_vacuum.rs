//! When a PostgreSQL store takes out of the files what was erased.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod postgres_node;

use metrics::{Counter, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use postgres_node::{DEAD, Node, count, eventually, open};
use sqlx::{Connection, Executor, PgConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use strongroom_domain::port::{CommitErrorKind, Committer};
use strongroom_test_postgres::{Cluster, Database};
use strongroom_testkit::{build, units};

const VACUUMS: &str = "SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'secret_versions'";
/// How many a round has: one that takes what it can get at once, and one that waits for pages that are being read.
const ROUND: u64 = 2;

async fn open_vacuumed(database: &Database) -> Node {
    let node = open(database, 1, 5).await;
    database.sql("CREATE EXTENSION pageinspect");
    eventually("there is a round at the start", async || count(database, VACUUMS) == ROUND).await;
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
    let call = node.commit(units::erase(&secret, build::number(1), None).0);
    let sleeps = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                  WHERE datname = current_database() AND wait_event = 'PgSleep'";
    eventually("its commit is cut", async || !database.sql(sleeps).is_empty()).await;
    let error = call.await.expect("no panic").expect_err("cut");
    assert_eq!(error.kind(), &CommitErrorKind::OutcomeUnknown, "{error}");
    eventually("there is a round after it", async || count(&database, VACUUMS) == 2 * ROUND).await;
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
    assert_eq!((count(&database, VACUUMS), count(&database, DEAD)), (2 * ROUND, 0));
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
    eventually("it is tried at once", async || count(&database, VACUUMS) == ROUND + 1).await;
    assert_ne!(count(&database, DEAD), 0);
    // Longer than any two tries are apart.
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(count(&database, VACUUMS), ROUND + 1, "in vain it is not repeated");
    reader.execute("ROLLBACK").await.expect("ended");
    eventually("it is repeated", async || count(&database, DEAD) == 0).await;
    eventually("the round is done", async || count(&database, VACUUMS) == 2 * ROUND + 1).await;
}

/// Whoever reads a page keeps it from being cleaned, also without seeing what was erased.
#[tokio::test(flavor = "multi_thread")]
async fn vacuum_waits_for_whoever_reads_the_page_of_what_was_erased() {
    // Of its own: a transaction of another test would hold up the vacuum.
    let cluster = Cluster::builder().in_memory().start();
    let database = cluster.database();
    let node = open_vacuumed(&database).await;
    let secret = node.insert("/a").await;
    node.insert("/b").await;
    node.insert("/c").await;
    node.writer.commit(units::erase(&secret, build::number(1), None).0).await.expect("erased");
    let mut reader = PgConnection::connect(database.url()).await.expect("connects");
    reader.execute("BEGIN").await.expect("begun");
    reader.execute("DECLARE versions CURSOR FOR SELECT secret FROM secret_versions").await.expect("declared");
    reader.execute("FETCH 1 FROM versions").await.expect("read");
    let waits = "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'BufferPin'";
    eventually("the page is waited for", async || count(&database, waits) == 1).await;
    assert_eq!(count(&database, VACUUMS), ROUND + 1);
    assert_ne!(count(&database, DEAD), 0, "the first one of the round leaves it out");
    eventually("others have their turn", async || count(&database, VACUUMS) > ROUND + 1).await;
    eventually("the page is waited for again", async || count(&database, waits) == 1).await;
    assert_ne!(count(&database, DEAD), 0);
    reader.execute("ROLLBACK").await.expect("ended");
    eventually("nothing is left", async || count(&database, DEAD) == 0).await;
}

/// Takes the sum of one gauge, in whole numbers.
#[derive(Default)]
struct Shown(AtomicI64);

impl GaugeFn for Shown {
    fn increment(&self, by: f64) {
        self.0.fetch_add(by as i64, Ordering::Relaxed);
    }

    fn decrement(&self, by: f64) {
        self.0.fetch_sub(by as i64, Ordering::Relaxed);
    }

    fn set(&self, to: f64) {
        panic!("set to {to}, where others add");
    }
}

struct VacuumWanted(Arc<Shown>);

impl Recorder for VacuumWanted {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        match key.name() {
            "strongroom_store_vacuum_wanted" => Gauge::from_arc(Arc::clone(&self.0)),
            _ => Gauge::noop(),
        }
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// On one thread, since the recorder belongs to it.
#[tokio::test]
async fn the_metric_tells_whether_something_waits_for_its_vacuum() {
    // Of its own: a transaction of another test would hold up the vacuum.
    let cluster = Cluster::builder().in_memory().start();
    let database = cluster.database();
    let shown = Arc::new(Shown::default());
    let recorder = VacuumWanted(Arc::clone(&shown));
    let _recorded = metrics::set_default_local_recorder(&recorder);
    let wanted = || shown.0.load(Ordering::Relaxed);

    let node = open(&database, 1, 5).await;
    eventually("it is wanted at the start", async || wanted() == 1).await;
    eventually("it is done", async || wanted() == 0).await;
    assert_eq!(count(&database, VACUUMS), ROUND);
    let secret = node.insert("/a").await;
    node.writer.commit(units::erase(&secret, build::number(1), None).0).await.expect("erased");
    eventually("it is wanted again", async || wanted() == 1).await;
    eventually("it is done again", async || wanted() == 0).await;
    assert_eq!(count(&database, VACUUMS), 2 * ROUND);
    node.writer.close().await;
    assert_eq!(wanted(), 0);
}
