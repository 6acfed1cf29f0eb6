//! What a PostgreSQL store does about records that are refused, streams that cannot begin, and accesses that are read again.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod postgres_node;

use postgres_node::{count, eventually, is_written, open};
use strongroom_domain::audit::{Action, Resource, ResourceKind};
use strongroom_domain::port::{AccessErrorKind, AccessLog, AuditLog, SecretReader};
use strongroom_test_postgres::database;
use strongroom_testkit::build;

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

/// However many were refused, and however slowly they are taken then.
#[tokio::test(flavor = "multi_thread")]
async fn others_go_on_while_refused_records_are_written() {
    const REFUSED: u64 = 60;
    let database = database();
    let node = open(&database, 1, 5).await;
    let mut secret = node.insert("/a").await;
    let kind = format!("action = '{}'", Action::SecretList.as_str());
    database.sql(&format!("ALTER TABLE audit_records ADD CONSTRAINT refuse CHECK (NOT {kind})"));
    for _ in 0..REFUSED {
        node.writer.enqueue(build::record(Action::SecretList)).await.expect("queued");
    }
    node.append(&mut secret).await;
    database.sql(&format!(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END $$;
         CREATE TRIGGER wait BEFORE INSERT ON audit_records FOR EACH ROW WHEN (NEW.{kind}) EXECUTE FUNCTION wait();
         ALTER TABLE audit_records DROP CONSTRAINT refuse"
    ));
    let written = format!("SELECT count(*) FROM audit_records WHERE {kind}");
    eventually("all are written", async || {
        node.append(&mut secret).await;
        count(&database, &written) == REFUSED
    })
    .await;
    let between = format!(
        "SELECT count(*) FROM audit_records, (SELECT min(position), max(position) FROM audit_records WHERE {kind}) AS ends
         WHERE position BETWEEN min AND max AND NOT {kind}"
    );
    let between = count(&database, &between);
    assert!(between > 3, "only {between} others were written before the last of them");
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
