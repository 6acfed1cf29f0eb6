//! What a lane of a PostgreSQL store makes of a database that goes away while it takes a batch apart.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod postgres_node;

use postgres_node::open_with;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use strongroom_domain::audit::Action;
use strongroom_domain::port::{AccessErrorKind, AccessLog, AuditLog};
use strongroom_store_sql::PostgresOptions;
use strongroom_test_postgres::database;
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
