//! What becomes of changes that wait when a PostgreSQL store stops.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod postgres_node;

use postgres_node::{count, eventually, hold, is_written, open};
use sqlx::Executor;
use std::time::Duration;
use strongroom_domain::audit::Action;
use strongroom_domain::port::{AuditLog, CommitErrorKind};
use strongroom_test_postgres::database;
use strongroom_testkit::{build, units};

/// However long changes might wait for locks, and however many they are.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_gives_up_what_waits_for_locks() {
    let database = database();
    let node = open(&database, 1, 600).await;
    let mut free = node.insert("/free").await;
    let mut locked = Vec::new();
    for number in 0..40 {
        locked.push(node.insert(&format!("/locked/{number}")).await);
    }
    let rows = "SELECT FROM secrets WHERE path LIKE '/locked/%' FOR UPDATE";
    let mut holder = hold(&database, rows.to_owned()).await;
    let mut calls = Vec::new();
    for _ in 0..10 {
        calls.extend(locked.iter().map(|secret| node.commit(units::append(secret).0)));
    }
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("the lane waits for locks", async || count(&database, waits) == 1).await;
    node.append(&mut free).await;
    let record = build::record(Action::SecretList);
    node.writer.enqueue(record.clone()).await.expect("queued");
    tokio::time::timeout(Duration::from_secs(30), node.writer.close()).await.expect("it stops");
    for call in calls {
        let error = call.await.expect("no panic").expect_err("locked");
        assert_eq!(error.kind(), &CommitErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains("stopped"), "{error}");
    }
    assert!(is_written(&database, record.event.uuid()));
    holder.execute("ROLLBACK").await.expect("released");
    assert_eq!(count(&database, "SELECT count(*) FROM secret_versions"), 42, "one of each, and one more of one");
}

/// Those that get their locks in time are done.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_locks_that_are_soon_gone() {
    let database = database();
    let node = open(&database, 1, 600).await;
    let secret = node.insert("/a").await;
    let mut holder = hold(&database, postgres_node::row(&secret)).await;
    let call = node.commit(units::append(&secret).0);
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("the lane waits for the lock", async || count(&database, waits) == 1).await;
    let release = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        holder.execute("ROLLBACK").await.expect("released");
    };
    tokio::join!(node.writer.close(), release);
    call.await.expect("no panic").expect("appended");
}
