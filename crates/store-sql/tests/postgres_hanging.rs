//! What a PostgreSQL store answers when the database server takes connections and says nothing.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod postgres_node;

use postgres_node::open_with;
use std::time::Duration;
use strongroom_domain::lease::{LeaseName, LeaseTtl};
use strongroom_domain::port::{LeaseErrorKind, Leases, ReadErrorKind, SecretReader};
use strongroom_store_sql::PostgresOptions;
use strongroom_test_postgres::database;
use uuid::Uuid;

fn signal(signal: &str, sessions: &[String]) {
    let done = std::process::Command::new("kill").arg(signal).args(sessions).status().expect("kill");
    assert!(done.success());
}

/// Over a new connection it could be read; but then whoever asks has waited twice, and the new connection may hang as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_was_waited_for_is_not_repeated() {
    let database = database();
    let mut options = PostgresOptions::parse(database.url()).expect("a URL").create();
    options.statement_timeout = Duration::from_secs(1);
    let node = open_with(options, 1).await;
    let secret = node.insert("/a").await;
    let read = async || node.store.find(&secret.scope, &secret.path).await;
    assert_eq!(read().await.expect("readable"), Some(secret.clone()));
    let sessions = "SELECT pid FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name = 'strongroom'";
    let sessions = database.sql(sessions).concat();
    signal("-STOP", &sessions);
    let answer = tokio::time::timeout(Duration::from_secs(30), read()).await;
    signal("-CONT", &sessions);
    let error = answer.expect("answered").expect_err("not by another connection");
    assert_eq!(*error.kind(), ReadErrorKind::Unavailable, "{error}");
    assert_eq!(read().await.expect("readable, over a new connection"), Some(secret.clone()));
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
    let session = database.sql(session).concat();
    signal("-STOP", &session);
    let answer = tokio::time::timeout(Duration::from_secs(30), node.store.acquire(name, holder, ttl)).await;
    signal("-CONT", &session);
    let error = answer.expect("answered").expect_err("not by the database");
    assert_eq!(error.kind(), &LeaseErrorKind::OutcomeUnknown, "{error}");
    node.store.acquire(name, holder, ttl).await.expect("answered").expect("acquired, over a new connection");
}
