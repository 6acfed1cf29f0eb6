//! What a lane of a PostgreSQL store makes of a database that goes away, also while it takes a batch apart.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod postgres_node;

use postgres_node::{eventually, open_with};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use strongroom_domain::audit::{Action, AuditRecord};
use strongroom_domain::port::{AccessErrorKind, AccessLog, AuditLog};
use strongroom_store_sql::PostgresOptions;
use strongroom_test_postgres::{Database, database};
use strongroom_testkit::build;

/// What the server says when a row is refused, in the middle of other words.
const REFUSED: &[u8] = b"C23514\0";
const JOBS: usize = 24;

/// Passes on what client and server say, until the server refuses a row. From then on connections are taken and nothing is said.
struct Gone {
    url: String,
    /// 0 while the server is there, then one more than connections were tried.
    tried: Arc<AtomicUsize>,
}

impl Gone {
    fn before(url: &str) -> Self {
        let (_, address) = url.split_once('@').expect("a user");
        let (address, _) = address.split_once('/').expect("a database");
        let server = address.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let own = listener.local_addr().expect("bound").to_string();
        let through = url.replace(address, &own);
        let tried = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&tried);
        thread::spawn(move || {
            let mut silent = Vec::new();
            for client in listener.incoming() {
                let mut client = client?;
                if seen.load(Ordering::SeqCst) > 0 {
                    seen.fetch_add(1, Ordering::SeqCst);
                    silent.push(client);
                    continue;
                }
                let mut server = TcpStream::connect(&server)?;
                let (answers, back, seen) = (server.try_clone()?, client.try_clone()?, Arc::clone(&seen));
                thread::spawn(move || pass_back(answers, back, &seen));
                thread::spawn(move || io::copy(&mut client, &mut server));
            }
            io::Result::Ok(())
        });
        Self { url: through, tried }
    }

    /// As if the server had refused a row.
    fn leave(&self, database: &Database) {
        self.tried.store(1, Ordering::SeqCst);
        let others = "datname = current_database() AND pid <> pg_backend_pid()";
        database.sql(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"));
    }

    fn come_back(&self) {
        self.tried.store(0, Ordering::SeqCst);
    }

    fn tried(&self) -> usize {
        self.tried.load(Ordering::SeqCst)
    }
}

fn pass_back(mut answers: TcpStream, mut back: TcpStream, seen: &AtomicUsize) -> io::Result<()> {
    let mut buffer = [0; 1 << 16];
    loop {
        let length = answers.read(&mut buffer)?;
        let said = &buffer[..length];
        let refused = said.windows(REFUSED.len()).any(|part| part == REFUSED);
        if refused {
            let _ = seen.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst);
        }
        back.write_all(said)?;
        if length == 0 || refused {
            return back.shutdown(std::net::Shutdown::Both);
        }
    }
}

/// On one thread, so that all jobs are queued before the lane takes one.
#[tokio::test]
async fn an_outage_is_waited_for_once_and_not_once_per_job() {
    let database = database();
    let gone = Gone::before(&database.tcp_url());
    let mut options = PostgresOptions::parse(&gone.url).expect("a URL").create();
    options.lanes = 1;
    options.connect_timeout = Duration::from_secs(2);
    let node = open_with(options, 1).await;
    let secret = node.insert("/a").await;
    let refused = build::record(Action::SecretList);
    let event = refused.event.uuid();
    database.sql(&format!("ALTER TABLE audit_records ADD CONSTRAINT refuse CHECK (event <> '{event}')"));

    node.writer.enqueue(refused).await.expect("queued");
    let mut calls = Vec::new();
    for second in 0..JOBS {
        let (writer, access) = (Arc::clone(&node.writer), build::access(&secret, 1, build::at(second as i64)));
        calls.push(tokio::spawn(async move { writer.record(access).await }));
    }
    for call in calls {
        let error = call.await.expect("no panic").expect_err("gone");
        assert!(matches!(error.kind(), AccessErrorKind::Unavailable | AccessErrorKind::OutcomeUnknown), "{error}");
    }
    let tried = gone.tried();
    assert!((2..=4).contains(&tried), "the lane tried to connect {tried} times for {JOBS} jobs");
}

/// Of these, those that are written, in the order of the audit log.
fn written(database: &Database, records: &[AuditRecord]) -> Vec<String> {
    let own: Vec<String> = records.iter().map(|record| format!("'{}'", record.event.uuid())).collect();
    let rows = format!("SELECT event FROM audit_records WHERE event IN ({}) ORDER BY position", own.join(", "));
    database.sql(&rows).into_iter().map(|mut row| row.remove(0)).collect()
}

async fn expect_in_order(database: &Database, records: &[AuditRecord]) {
    let written = async || written(database, records).len() == records.len();
    eventually("all records are written", written).await;
    let queued: Vec<String> = records.iter().map(|record| record.event.uuid().to_string()).collect();
    assert_eq!(self::written(database, records), queued);
}

fn lists(count: usize) -> Vec<AuditRecord> {
    (0..count).map(|_| build::record(Action::SecretList)).collect()
}

/// More than one commit takes, and more that come between its tries.
#[tokio::test]
async fn records_keep_their_order_over_an_outage() {
    let database = database();
    let gone = Gone::before(&database.tcp_url());
    let mut options = PostgresOptions::parse(&gone.url).expect("a URL").create();
    options.lanes = 1;
    options.connect_timeout = Duration::from_secs(1);
    let node = open_with(options, 1).await;
    let secret = node.insert("/a").await;
    let records = lists(600);
    gone.leave(&database);
    for some in records.chunks(200) {
        let tried = gone.tried();
        for (n, record) in some.iter().enumerate() {
            node.writer.enqueue(record.clone()).await.expect("queued");
            if n == 0 {
                eventually("the lane tries to connect", async || gone.tried() > tried).await;
            }
        }
        node.reveal(&secret).await.expect_err("the database is away");
    }
    gone.come_back();
    expect_in_order(&database, &records).await;
}

/// On one thread, so that all are queued before the lane takes one. The first is refused for itself; the second fails as on a full
/// disk, and those behind it could be written.
#[tokio::test]
async fn records_keep_their_order_when_a_batch_is_taken_apart() {
    let database = database();
    let mut options = PostgresOptions::parse(database.url()).expect("a URL").create();
    options.lanes = 1;
    let node = open_with(options, 1).await;
    let secret = node.insert("/a").await;
    let records = lists(10);
    let (refused, failing) = (records[0].event.uuid(), records[1].event.uuid());
    database.sql(&format!(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$;
         CREATE TRIGGER full_disk BEFORE INSERT ON audit_records
             FOR EACH ROW WHEN (NEW.event = '{failing}') EXECUTE FUNCTION full_disk();
         ALTER TABLE audit_records ADD CONSTRAINT refuse CHECK (event <> '{refused}')"
    ));
    for record in &records {
        node.writer.enqueue(record.clone()).await.expect("queued");
    }
    node.reveal(&secret).await.expect("it is in the batch, and nothing is in its way");
    assert!(written(&database, &records).is_empty(), "none overtakes the second");
    database.sql("DROP TRIGGER full_disk ON audit_records");
    expect_in_order(&database, &records[1..]).await;
}
