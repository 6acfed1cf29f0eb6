//! What a PostgreSQL store answers when the database server takes connections and says nothing.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod postgres_node;

use postgres_node::open_with;
use std::time::Duration;
use strongroom_domain::lease::{LeaseName, LeaseTtl};
use strongroom_domain::port::{LeaseErrorKind, Leases};
use strongroom_store_sql::PostgresOptions;
use strongroom_test_postgres::database;
use uuid::Uuid;

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
