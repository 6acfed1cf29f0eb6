//! A store over PostgreSQL and its writer, for tests of what one lane does.
#![allow(dead_code, reason = "each test uses its own part of it")]
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::sync::Arc;
use std::time::Duration;
use strongroom_domain::port::{AccessErrorKind, AccessLog, AuditReader, CommitError, Committer};
use strongroom_domain::secret::Secret;
use strongroom_domain::unit::Unit;
use strongroom_store_sql::{PostgresOptions, PostgresStore, PostgresWriter};
use strongroom_test_postgres::Database;
use strongroom_testkit::{FixedSigner, SequentialIds, build, units};
use tokio::task::JoinHandle;
use uuid::Uuid;

pub(crate) struct Node {
    pub(crate) store: Arc<PostgresStore>,
    pub(crate) writer: Arc<PostgresWriter>,
}

/// With one lane, so that everything meets there. The lock timeout is in seconds.
pub(crate) async fn open(database: &Database, node: u64, lock_timeout: u64) -> Node {
    let mut options = PostgresOptions::parse(database.url()).expect("a URL").create();
    options.lanes = 1;
    options.lock_timeout = Duration::from_secs(lock_timeout);
    options.statement_timeout = Duration::from_secs(20);
    open_with(options, node).await
}

pub(crate) async fn open_with(options: PostgresOptions, node: u64) -> Node {
    let store = PostgresStore::open(options).await.expect("opens");
    let writer = store.writer(Arc::new(FixedSigner), Arc::new(SequentialIds::of_node(node))).await.expect("starts");
    Node { store: Arc::new(store), writer: Arc::new(writer) }
}

impl Node {
    pub(crate) async fn insert(&self, path: &str) -> Secret {
        let secret = build::secret(build::scope(), path);
        self.writer.commit(units::insert(&secret)).await.expect("inserted");
        secret
    }

    pub(crate) async fn append(&self, secret: &mut Secret) {
        let (unit, state) = units::append(secret);
        self.writer.commit(unit).await.expect("appended");
        *secret = state;
    }

    /// Hands it over, and waits elsewhere.
    pub(crate) fn commit(&self, unit: Unit) -> JoinHandle<Result<(), CommitError>> {
        let writer = Arc::clone(&self.writer);
        tokio::spawn(async move { writer.commit(unit).await })
    }

    pub(crate) async fn reveal(&self, secret: &Secret) -> Result<(), AccessErrorKind> {
        let access = build::access(secret, 1, build::at(1));
        self.writer.record(access).await.map_err(|error| *error.kind())
    }

    pub(crate) async fn streams(&self) -> usize {
        self.store.streams().await.expect("readable").len()
    }
}

pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..1_500 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never: {what}");
}

/// A session with an open transaction that did this.
pub(crate) async fn hold(database: &Database, sql: String) -> PgConnection {
    let mut connection = PgConnection::connect(database.url()).await.expect("connects");
    connection.execute("BEGIN").await.expect("begun");
    connection.execute(AssertSqlSafe(sql)).await.expect("done");
    connection
}

pub(crate) fn row(secret: &Secret) -> String {
    format!("SELECT FROM secrets WHERE id = '{}' FOR UPDATE", secret.id.uuid())
}

pub(crate) fn count(database: &Database, sql: &str) -> u64 {
    database.sql(sql)[0][0].parse().expect("a number")
}

pub(crate) fn is_written(database: &Database, event: Uuid) -> bool {
    count(database, &format!("SELECT count(*) FROM audit_records WHERE event = '{event}'")) == 1
}

/// That a statement sleeps.
pub(crate) const SLEEPS: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";

/// How many rows stand in the pages of the versions that no new statement sees. The statistics of the server tell it too, but late, and
/// sometimes of what a VACUUM took out before. To be asked in a database with the extension `pageinspect`.
pub(crate) const DEAD: &str = "
    SELECT (SELECT count(*) FROM generate_series(0, pg_relation_size('secret_versions') / 8192 - 1) AS page
                CROSS JOIN LATERAL heap_page_items(get_raw_page('secret_versions', page::int)) WHERE lp_flags = 1)
        - (SELECT count(*) FROM secret_versions)";
