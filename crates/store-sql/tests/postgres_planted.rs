//! What a store in PostgreSQL does about rows that somebody else put into it.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod postgres_node;

use postgres_node::{Node, count, eventually, is_written, open};
use std::collections::BTreeSet;
use std::time::Duration;
use strongroom_domain::audit::{Action, AuditRecord, ChainState, Resource, ResourceKind};
use strongroom_domain::lease::{LeaseName, LeaseTtl, Renewal};
use strongroom_domain::port::{
    AccessLog, AuditLog, AuditReader, CommitErrorKind, Committer, Leases, SecretReader, SetupReader,
};
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey};
use strongroom_domain::unit::{Change, Expect, Unit};
use strongroom_test_postgres::{Database, database};
use strongroom_testkit::{build, units};
use uuid::Uuid;

const NAME: LeaseName = LeaseName::AuditCheckpoint;

fn record_at(positions: &str) -> String {
    format!(
        "INSERT INTO audit_records (position, stream, sequence, hash, canonical, at, event, action, outcome, status)
         SELECT position, 0, 0, '', '', 0, lpad('', 32, '0')::uuid, '', '', 200 FROM {positions}"
    )
}

fn next_record(database: &Database) {
    database.sql(&record_at("(SELECT max(position) + 1 FROM audit_records) AS next (position)"));
}

/// Of the records at their places, which are those that follow one from another.
async fn chained(node: &Node) -> Vec<Uuid> {
    let mut events = Vec::new();
    for stream in node.store.streams().await.expect("readable") {
        let mut state = ChainState::begin(stream);
        for link in node.store.links(stream, 0, 1_000).await.expect("readable") {
            if link.canonical.is_empty() {
                break;
            }
            state = state.after(&link.canonical);
            assert_eq!((link.sequence, link.hash), (state.sequence, state.hash.to_vec()));
            events.push(AuditRecord::from_canonical(&link.canonical).expect("a record").event.uuid());
        }
    }
    events
}

/// Writes and reveals go on at once, nothing that is queued is lost, and nothing is written twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_in_the_place_of_a_record_keeps_nothing_from_being_written() {
    let database = database();
    let node = open(&database, 1, 5).await;
    let mut secret = node.insert("/a").await;
    let mut events = BTreeSet::new();
    for _ in 0..3 {
        next_record(&database);
        let access = build::access(&secret, 1, build::at(1));
        events.extend(access.records.iter().map(|record| record.event.uuid()));
        node.writer.record(access).await.expect("revealed");
        next_record(&database);
        node.append(&mut secret).await;
        next_record(&database);
        let record = build::record(Action::SecretList);
        events.insert(record.event.uuid());
        node.writer.enqueue(record.clone()).await.expect("queued");
        eventually("the record is written", async || is_written(&database, record.event.uuid())).await;
    }
    node.writer.close().await;
    let found = chained(&node).await;
    let distinct: BTreeSet<Uuid> = found.iter().copied().collect();
    assert_eq!(found.len(), distinct.len(), "each once");
    assert!(distinct.is_superset(&events));
}

/// Where the next streams would begin there are others' streams, and others' records.
#[tokio::test(flavor = "multi_thread")]
async fn places_that_were_taken_keep_no_stream_from_beginning() {
    let database = database();
    let node = open(&database, 1, 5).await;
    let mut secret = node.insert("/a").await;
    node.writer.close().await;
    database.sql(
        "INSERT INTO audit_streams (ordinal, id)
         SELECT last + n, gen_random_uuid() FROM (SELECT max(ordinal) AS last FROM audit_streams) AS streams, generate_series(1, 50) AS n",
    );
    database.sql(&record_at(
        "(SELECT (max(ordinal) + n) * 17592186044416 + 2 FROM audit_streams, generate_series(1, 50) AS n GROUP BY n) AS next (position)",
    ));
    let node = open(&database, 2, 5).await;
    let access = build::access(&secret, 1, build::at(1));
    let event = access.records[0].event.uuid();
    node.writer.record(access).await.expect("revealed");
    node.append(&mut secret).await;
    node.writer.close().await;
    let found = chained(&node).await;
    assert_eq!(found.iter().filter(|it| **it == event).count(), 1);
    let streams = node.store.streams().await.expect("readable");
    let ours = node.store.links(*streams.last().expect("a stream"), 0, 10).await.expect("readable");
    assert!(!ours.is_empty() && ours.iter().all(|link| !link.canonical.is_empty()), "nobody else's records are in it");
}

/// However many there are, all is written in the end.
#[tokio::test(flavor = "multi_thread")]
async fn more_places_than_are_tried_at_once_are_passed_by_and_by() {
    let database = database();
    let node = open(&database, 1, 5).await;
    let secret = node.insert("/a").await;
    node.writer.close().await;
    database.sql(
        "INSERT INTO audit_streams (ordinal, id) SELECT 1 + n, gen_random_uuid() FROM generate_series(1, 4500) AS n",
    );
    let node = open(&database, 2, 5).await;
    let record = build::record(Action::SecretList);
    node.writer.enqueue(record.clone()).await.expect("queued");
    eventually("the record is written", async || is_written(&database, record.event.uuid())).await;
    node.reveal(&secret).await.expect("revealed");
}

/// Accesses are read again, also where the position says that there is nothing to be read, or far too much.
#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_is_none_keeps_no_access_from_being_read_again() {
    let database = database();
    let node = open(&database, 1, 5).await;
    let secret = node.insert("/a").await;
    node.writer.close().await;
    for (start, position) in (2..).zip(["1000000000000", "9223372036854775807", "-9223372036854775808"]) {
        let node = open(&database, 2 * start, 5).await;
        let at = build::at(i64::try_from(start).expect("few"));
        let mut access = build::access(&secret, 1, at);
        access.records[0].at = at;
        access.records[0].resource = Some(Resource {
            kind: ResourceKind::Secret,
            identity: secret.path.as_str().to_owned(),
            id: Some(secret.id.uuid()),
            version: Some(1),
        });
        node.writer.record(access).await.expect("recorded");
        node.writer.close().await;
        database.sql(&format!("DELETE FROM secret_access; UPDATE audit_positions SET sequence = {position}"));
        let node =
            tokio::time::timeout(Duration::from_secs(60), open(&database, 2 * start + 1, 5)).await.expect("starts");
        let found =
            SecretReader::find(&*node.store, &secret.scope, &secret.path).await.expect("readable").expect("there");
        assert_eq!(found.last_accessed_at, Some(at), "{position}");
        node.writer.close().await;
        let beyond =
            "SELECT count(*) FROM audit_positions WHERE name = 'last-access' AND sequence NOT BETWEEN 0 AND 1000";
        assert_eq!(count(&database, beyond), 0, "{position}");
    }
}

/// Neither what the column says, nor where somebody put one, is how many there are.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_far_ahead_keeps_nobody_from_starting() {
    let database = database();
    let node = open(&database, 1, 5).await;
    let secret = build::secret(build::scope(), "/a");
    node.writer.commit(units::insert(&secret)).await.expect("written");
    node.writer.close().await;
    let made = "stream, sequence, hash, canonical, at, event, action, outcome, status";
    let far = "(SELECT max(position) FROM audit_records) / 17592186044416 * 17592186044416 + 17592186044415";
    database.sql(&format!(
        "INSERT INTO audit_records (position, {made}) SELECT {far}, {made} FROM audit_records ORDER BY position DESC LIMIT 1"
    ));
    for sequence in [i64::MAX, 17_592_186_044_415] {
        database.sql(&format!(
            "DELETE FROM audit_positions; UPDATE audit_records SET sequence = {sequence} WHERE position = (SELECT max(position) FROM audit_records)"
        ));
        let start = 1 + u64::from(sequence == i64::MAX);
        let node = tokio::time::timeout(Duration::from_secs(60), open(&database, start + 1, 5)).await.expect("starts");
        node.writer.close().await;
    }
}

/// Positions count for nothing where a stream begins.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_begins_where_nobody_has_a_position() {
    let database = database();
    // It makes the tables, and writes nothing.
    open(&database, 1, 5).await.writer.close().await;
    database.sql(
        "INSERT INTO audit_positions (name, stream, sequence) SELECT 'checkpoints', n, 17592186044415 FROM generate_series(1, 40) AS n",
    );
    let node = open(&database, 2, 5).await;
    node.writer.commit(units::insert(&build::secret(build::scope(), "/a"))).await.expect("written");
    node.writer.close().await;
    assert!(count(&database, "SELECT min(ordinal) FROM audit_streams") > 40);
}

fn key(purpose: InstanceKeyPurpose, version: u32, sealed: u8, public: Option<[u8; 32]>) -> SealedInstanceKey {
    SealedInstanceKey { purpose, version, sealed: vec![sealed], public }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_none_hides_no_others() {
    let database = database();
    let node = open(&database, 1, 5).await;
    let ours = build::instance_key(InstanceKeyPurpose::AuditSigning, 1);
    node.writer.commit(units::of(vec![Change::InsertInstanceKey(ours.clone())])).await.expect("stored");
    let public = format!("'\\x{}'", "07".repeat(32));
    for (purpose, version, sealed, public) in [
        ("audit-signing", "-1", 1, public.as_str()),
        ("audit-signing", "8589934592", 2, "NULL"),
        ("nothing", "1", 3, "NULL"),
        ("token-signing", "0", 4, "NULL"),
        ("audit-signing", "2", 5, "'\\x00'"),
        ("token-signing", "2", 6, public.as_str()),
    ] {
        database.sql(&format!("INSERT INTO instance_keys VALUES ('{purpose}', {version}, '\\x0{sealed}', {public})"));
    }
    let signing = InstanceKeyPurpose::AuditSigning;
    let mut wanted: Vec<_> = (1..=4).map(|sealed| key(signing, 0, sealed, None)).collect();
    wanted.extend([ours, key(signing, 2, 5, None)]);
    wanted.push(key(InstanceKeyPurpose::TokenSigning, 2, 6, Some([7; 32])));
    assert_eq!(node.store.instance_keys().await.expect("readable"), wanted);
}

/// It is as if the one before had ended, and no epoch comes again.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_was_altered_keeps_nobody_from_it() {
    let database = database();
    let node = open(&database, 1, 5).await;
    let acquire =
        async |holder| node.store.acquire(NAME, Uuid::from_u128(holder), LeaseTtl::MAX).await.expect("a lease store");
    let mut held = acquire(1).await.expect("free");
    let mut epochs = BTreeSet::from([held.epoch]);
    for (holder, altered) in (2..).zip([
        "epoch = -1",
        "epoch = 9223372036854775807",
        "expires_at = -9223372036854775808",
        "expires_at = 9223372036854775807",
    ]) {
        database.sql(&format!("UPDATE leases SET {altered}"));
        let next = acquire(holder).await.expect(altered);
        assert!(epochs.insert(next.epoch), "{altered}: {:?} came again", next.epoch);
        assert_eq!(node.store.renew(&held, LeaseTtl::MAX).await.expect("a lease store"), Renewal::Lost);
        assert_eq!(acquire(holder + 100).await, None, "{altered}");
        let expect = |lease| Unit { expect: vec![Expect::Lease(NAME, lease)], ..Unit::default() };
        node.writer.commit(expect(next.epoch)).await.expect("it stands");
        let error = node.writer.commit(expect(held.epoch)).await.expect_err("fenced");
        assert!(matches!(error.kind(), CommitErrorKind::Conflict(_)), "{altered}: {error}");
        let Renewal::Held(renewed) = node.store.renew(&next, LeaseTtl::MAX).await.expect("a lease store") else {
            panic!("{altered}: lost")
        };
        held = renewed;
    }
}
