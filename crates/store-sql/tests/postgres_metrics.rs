//! What a PostgreSQL store tells of itself while its database is in trouble.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod postgres_node;

use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use postgres_node::{Node, eventually, hold, open_with};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use strongroom_domain::audit::Action;
use strongroom_domain::port::{AccessErrorKind, AuditLog, SecretReader};
use strongroom_store_sql::PostgresOptions;
use strongroom_test_postgres::{Cluster, Mode};
use strongroom_testkit::{build, units};

#[derive(Default)]
struct Sum(AtomicI64);

impl GaugeFn for Sum {
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

impl CounterFn for Sum {
    fn increment(&self, by: u64) {
        self.0.fetch_add(by as i64, Ordering::Relaxed);
    }

    fn absolute(&self, to: u64) {
        panic!("set to {to}, where others add");
    }
}

/// Gauges and counters, by name and labels.
#[derive(Default)]
struct Told(Mutex<HashMap<String, Arc<Sum>>>);

impl Told {
    fn of(&self, key: &Key) -> Arc<Sum> {
        let labels: Vec<String> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = [key.name().to_owned(), labels.join(",")].join(" ");
        Arc::clone(self.0.lock().expect("no panic").entry(name.trim_end().to_owned()).or_default())
    }

    fn value(&self, name: &str) -> i64 {
        let sums = self.0.lock().expect("no panic");
        let sum = sums.get(name).unwrap_or_else(|| panic!("nothing tells {name}: {:?}", sums.keys()));
        sum.0.load(Ordering::Relaxed)
    }
}

impl Recorder for Told {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.of(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.of(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

const BACKLOG: &str = "strongroom_lane_backlog_records";
const CHANGES_WAITING: &str = "strongroom_lane_callers_waiting kind=change";
const RECORDS_WAITING: &str = "strongroom_lane_callers_waiting kind=record";
const HOT: &str = "strongroom_store_reads_in_flight pool=hot";
const COLD: &str = "strongroom_store_reads_in_flight pool=cold";

fn failed(kind: &str) -> String {
    format!("strongroom_lane_commits_failed_total kind={kind}")
}

/// With room for very little in its queue.
async fn open(cluster_url: &str) -> Node {
    let mut options = PostgresOptions::parse(cluster_url).expect("a URL").create();
    options.lanes = 1;
    options.queue_bytes = 4096;
    options.lock_timeout = Duration::from_secs(30);
    options.statement_timeout = Duration::from_secs(30);
    open_with(options, 1).await
}

/// On one thread, since the recorder belongs to it.
#[tokio::test]
async fn an_outage_shows() {
    let cluster = Cluster::builder().in_memory().start();
    let database = cluster.database();
    let told = Told::default();
    let _recorded = metrics::set_default_local_recorder(&told);
    let node = open(database.url()).await;
    let secret = node.insert("/a").await;
    node.reveal(&secret).await.expect("recorded");
    for quiet in [BACKLOG, CHANGES_WAITING, RECORDS_WAITING, HOT, COLD, &failed("unavailable"), &failed("full")] {
        assert_eq!(told.value(quiet), 0, "{quiet}");
    }

    // Somebody keeps the tables: whoever reads waits, the lane waits, and its queue fills.
    let held =
        hold(&database, "LOCK TABLE secrets, secret_versions, audit_records IN ACCESS EXCLUSIVE MODE".to_owned()).await;
    let mut changes = Vec::new();
    for number in 0..8 {
        let secret = build::secret(build::scope(), &format!("/b/{number}"));
        changes.push(node.commit(units::insert(&secret)));
    }
    let mut records = Vec::new();
    for _ in 0..8 {
        let writer = Arc::clone(&node.writer);
        records.push(tokio::spawn(async move { writer.enqueue(build::record(Action::SecretList)).await }));
    }
    let (hot, cold) = (Arc::clone(&node.store), Arc::clone(&node.store));
    let (scope, path, id) = (secret.scope, secret.path.clone(), secret.id);
    let hot = tokio::spawn(async move { hot.find(&scope, &path).await });
    let cold = tokio::spawn(async move { cold.versions(id, None, 10).await });
    for waits in [CHANGES_WAITING, RECORDS_WAITING, HOT, COLD] {
        eventually(waits, async || told.value(waits) > 0).await;
    }
    drop(held);
    for change in changes {
        change.await.expect("no panic").expect("inserted");
    }
    for record in records {
        record.await.expect("no panic").expect("queued");
    }
    assert!(hot.await.expect("no panic").expect("readable").is_some());
    assert_eq!(cold.await.expect("no panic").expect("readable").len(), 1);
    for quiet in [CHANGES_WAITING, RECORDS_WAITING, HOT, COLD] {
        eventually(quiet, async || told.value(quiet) == 0).await;
    }

    // The database refuses a record for itself.
    let record = build::record(Action::SecretList);
    let event = record.event.uuid();
    database.sql(&format!("ALTER TABLE audit_records ADD CONSTRAINT refuse CHECK (event <> '{event}')"));
    node.writer.enqueue(record).await.expect("queued");
    eventually("it is kept", async || told.value(BACKLOG) == 1).await;
    let before = told.value(&failed("unavailable"));
    assert!(before > 0);
    database.sql("ALTER TABLE audit_records DROP CONSTRAINT refuse");
    eventually("it is written", async || told.value(BACKLOG) == 0).await;

    // The server stops.
    cluster.stop(Mode::Immediate);
    let error = node.reveal(&secret).await.expect_err("gone");
    assert!(matches!(error, AccessErrorKind::Unavailable | AccessErrorKind::OutcomeUnknown), "{error:?}");
    node.writer.enqueue(build::record(Action::SecretList)).await.expect("queued");
    eventually("it is kept", async || told.value(BACKLOG) == 1).await;
    assert!(told.value(&failed("unavailable")) > before);
    cluster.start_again();
    eventually("it is written", async || told.value(BACKLOG) == 0).await;
    node.writer.close().await;
    assert_eq!(told.value(&failed("full")), 0);
}
