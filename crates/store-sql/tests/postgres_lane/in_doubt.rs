//! Queued records of commits of which nobody knows whether they were made.

use super::{
    Node, WAITS_FOR_LOCK, access, backends, cut, events, eventually, lock, lock_at, open_one_lane, wait_for_lock,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use strongroom_domain::audit::{Action, AuditRecord};
use strongroom_domain::port::{Access, AccessError, AccessErrorKind, AccessLog, AuditLog};
use strongroom_test_postgres::{Cluster, Database, database};
use strongroom_testkit::build;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Records an access, while the test does something else.
fn record_on(node: &Node, access: Access) -> JoinHandle<Result<(), AccessError>> {
    let writer = Arc::clone(&node.writer);
    tokio::spawn(async move { writer.record(access).await })
}

const COMMIT_IS_HELD: &str = "wait_event = 'SyncRep'";

/// Has the database wait for a standby that is none after each commit; gives the records of which the last one's commit is held so, which takes
/// a moment.
async fn hold_a_commit(node: &Node, database: &Database) -> Vec<AuditRecord> {
    database.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    database.sql("SELECT pg_reload_conf()");
    let mut queued = Vec::new();
    while backends(database, COMMIT_IS_HELD).is_empty() {
        let record = build::record(Action::SecretList);
        node.writer.enqueue(record.clone()).await.expect("queued");
        // While it is held nobody sees it.
        let is_over = async || {
            !backends(database, COMMIT_IS_HELD).is_empty() || node.events().await.contains(&record.event.uuid())
        };
        eventually("it is held or made", is_over).await;
        queued.push(record);
    }
    queued
}

/// A commit that the database has made already waits for a standby when its connection is cut: nobody waits for the answer, and
/// whoever wrote the records again would have them twice.
#[tokio::test(flavor = "multi_thread")]
async fn queued_records_of_a_commit_that_was_made_after_all_are_there_once() {
    let cluster = Cluster::builder().start();
    let database = cluster.database();
    let node = open_one_lane(database.url()).await;
    let secret = node.insert("/a").await;
    for round in 1..=3 {
        let mut queued = hold_a_commit(&node, &database).await;
        for _ in 0..4 {
            queued.push(build::record(Action::SecretList));
            node.writer.enqueue(queued[queued.len() - 1].clone()).await.expect("queued");
        }
        cut(&database, COMMIT_IS_HELD);
        database.sql("ALTER SYSTEM RESET synchronous_standby_names");
        database.sql("SELECT pg_reload_conf()");
        node.writer.record(access(&secret, round)).await.expect("recorded, over a new connection");
        eventually("all are written", async || {
            let written = node.events().await;
            queued.iter().all(|record| written.contains(&record.event.uuid()))
        })
        .await;
    }
    node.writer.close().await;
    let written = node.events().await;
    let once: BTreeSet<Uuid> = written.iter().copied().collect();
    assert_eq!(written.len(), once.len(), "a record is there twice: {written:?}");
}

/// The same of the first commit of a stream, and of one with records for which somebody waited too.
#[tokio::test(flavor = "multi_thread")]
async fn queued_records_beside_others_are_there_once() {
    let cluster = Cluster::builder().start();
    let database = cluster.database();
    let node = open_one_lane(database.url()).await;
    let secret = node.insert("/a").await;
    hold_a_commit(&node, &database).await;
    let first = backends(&database, COMMIT_IS_HELD);
    // What comes now is one commit, the first of the next stream.
    let waited = access(&secret, 1);
    let mut call = Box::pin(node.writer.record(waited.clone()));
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut call).await.is_err(), "it waits");
    let plain = build::record(Action::SecretList);
    node.writer.enqueue(plain.clone()).await.expect("queued");
    cut(&database, COMMIT_IS_HELD);
    let next = async || {
        let held = backends(&database, COMMIT_IS_HELD);
        !held.is_empty() && held != first
    };
    eventually("the next commit waits", next).await;
    cut(&database, COMMIT_IS_HELD);
    let error = call.await.expect_err("cut");
    assert_eq!(*error.kind(), AccessErrorKind::OutcomeUnknown, "{error}");
    database.sql("ALTER SYSTEM RESET synchronous_standby_names");
    database.sql("SELECT pg_reload_conf()");
    node.writer.close().await;
    let streams = node.streams().await;
    let written: Vec<Uuid> = streams.iter().flatten().map(|record| record.record.event.uuid()).collect();
    let once: BTreeSet<Uuid> = written.iter().copied().collect();
    assert_eq!(written.len(), once.len(), "a record is there twice: {written:?}");
    let together = events(&[&waited.records[..], &[plain]].concat());
    assert!(streams.iter().any(|stream| stream.iter().map(|it| it.record.event.uuid()).eq(together.iter().copied())));
}

/// The same, when it was not made: they are written where it would have put them.
#[tokio::test(flavor = "multi_thread")]
async fn queued_records_of_a_commit_that_was_not_made_are_there_once() {
    let database = database();
    let node = open_one_lane(database.url()).await;
    let secret = node.insert("/a").await;
    node.writer.record(access(&secret, 1)).await.expect("recorded");
    let before = node.events().await;

    let held = lock(&database, "audit_records").await;
    let plain = build::record(Action::SecretList);
    node.writer.enqueue(plain.clone()).await.expect("queued");
    wait_for_lock(&database).await;
    cut(&database, WAITS_FOR_LOCK);
    drop(held);
    node.writer.record(access(&secret, 2)).await.expect("recorded, over a new connection");
    eventually("the queued record is written", async || node.events().await.contains(&plain.event.uuid())).await;
    node.writer.close().await;
    let streams = node.streams().await;
    let ended: Vec<Uuid> = streams[0].iter().map(|record| record.record.event.uuid()).collect();
    assert_eq!(ended, [before.as_slice(), &[plain.event.uuid()]].concat());
    assert_eq!(streams.len(), 2, "what came later did not wait for it");
}

/// The same beside one for which somebody waited: who was told that nobody knows is not recorded later.
#[tokio::test(flavor = "multi_thread")]
async fn only_queued_records_of_a_commit_that_was_not_made_are_written_later() {
    let database = database();
    let node = open_one_lane(database.url()).await;
    let secret = node.insert("/a").await;
    let before = node.events().await;
    // While the first commit waits, what becomes the second comes; and whoever waits for the lock then has it between the two.
    let held = lock(&database, "audit_records").await;
    let [first, second] = [1, 2].map(|at| access(&secret, at));
    let first_call = record_on(&node, first.clone());
    wait_for_lock(&database).await;
    let url = database.url().to_owned();
    let next_held = tokio::spawn(async move { lock_at(&url, "audit_records").await });
    eventually("both wait", async || backends(&database, WAITS_FOR_LOCK).len() == 2).await;
    // Queued once it was polled; what comes while the lane is busy is one commit.
    let mut second_call = Box::pin(node.writer.record(second));
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut second_call).await.is_err(), "it waits");
    let plain = build::record(Action::SecretList);
    node.writer.enqueue(plain.clone()).await.expect("queued");
    drop(held);
    first_call.await.expect("no panic").expect("recorded");
    let held = next_held.await.expect("no panic");
    wait_for_lock(&database).await;
    cut(&database, WAITS_FOR_LOCK);
    let error = second_call.await.expect_err("cut");
    assert_eq!(*error.kind(), AccessErrorKind::OutcomeUnknown, "{error}");
    drop(held);
    eventually("the queued record is written", async || node.events().await.contains(&plain.event.uuid())).await;
    node.writer.close().await;
    // One that was not of the commit that was cut would begin another stream.
    let streams = node.streams().await;
    assert_eq!(streams.len(), 1);
    let ended: Vec<Uuid> = streams[0].iter().map(|record| record.record.event.uuid()).collect();
    assert_eq!(ended, [before, events(&first.records), events(&[plain])].concat());
}

/// A stop waits a while until the database can tell.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_what_is_in_doubt() {
    let database = database();
    let node = open_one_lane(database.url()).await;
    node.insert("/a").await;
    let held = lock(&database, "audit_records").await;
    let plain = build::record(Action::SecretList);
    node.writer.enqueue(plain.clone()).await.expect("queued");
    wait_for_lock(&database).await;
    cut(&database, WAITS_FOR_LOCK);
    let writer = Arc::clone(&node.writer);
    let stop = tokio::spawn(async move { writer.close().await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!stop.is_finished(), "it leaves what is in doubt");
    drop(held);
    stop.await.expect("no panic");
    let written = node.events().await;
    assert_eq!(written.iter().filter(|event| **event == plain.event.uuid()).count(), 1);
}
