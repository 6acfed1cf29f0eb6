//! What a store in a file does about rows that somebody else put into it.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{Opened, file};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::path::Path;
use strongroom_domain::audit::{Action, ChainState, IndexEntry, LogReader, SinkName, Term};
use strongroom_domain::id::OrganisationId;
use strongroom_domain::lease::{Lease, LeaseName, LeaseTtl, Renewal};
use strongroom_domain::port::{
    AccessLog, AuditLog as _, AuditReader as _, CommitErrorKind, Committer, Leases, SetupReader, Window,
};
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey};
use strongroom_domain::unit::{Change, Expect, Unit};
use strongroom_testkit::{build, units};
use uuid::Uuid;

const NAME: LeaseName = LeaseName::AuditCheckpoint;

fn plant(folder: &Path, sql: &str) {
    let connection = Connection::open(file(folder)).expect("opens");
    connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

fn number(folder: &Path, sql: &str) -> i64 {
    let connection = Connection::open(file(folder)).expect("opens");
    connection.query_row(sql, [], |row| row.get(0)).expect("a number")
}

fn record_at(position: &str) -> String {
    format!(
        "INSERT INTO audit_records (position, stream, sequence, hash, canonical, at, event, action, outcome, status)
         VALUES ({position}, 0, 0, x'', x'', 0, x'', '', '', 200)"
    )
}

/// Writes and reveals go on at once, nothing that is queued is lost, and nothing is written twice.
#[tokio::test]
async fn a_row_in_the_place_of_a_record_keeps_nothing_from_being_written() {
    let next = "SELECT max(position) + 1 FROM audit_records";
    let folder = tempfile::tempdir().expect("a folder");
    let mut secrets = 0;
    let mut events = BTreeSet::new();
    for start in 0..2 {
        let opened = common::open(folder.path()).await;
        if start == 1 {
            // Where this start's stream would begin.
            let ordinal = number(folder.path(), "SELECT max(stream) + 1 FROM audit_records");
            plant(folder.path(), &format!("INSERT INTO audit_streams (ordinal, id) VALUES ({ordinal}, zeroblob(16))"));
        }
        for _ in 0..3 {
            secrets += 1;
            let secret = build::secret(build::scope(), &format!("/{secrets}"));
            opened.writer.commit(units::insert(&secret)).await.expect("written");
            plant(folder.path(), &record_at(&format!("({next})")));
            let access = build::access(&secret, 1, build::at(1));
            events.extend(access.records.iter().map(|record| record.event.uuid()));
            opened.writer.record(access).await.expect("revealed");
            plant(folder.path(), &record_at(&format!("({next})")));
            let record = build::record(Action::SecretList);
            events.insert(record.event.uuid());
            opened.writer.enqueue(record).await.expect("queued");
        }
        opened.writer.close().await;
    }
    let opened = common::open(folder.path()).await;
    let written = number(folder.path(), "SELECT count(*) FROM audit_records WHERE length(event) = 16");
    let distinct = number(folder.path(), "SELECT count(DISTINCT event) FROM audit_records WHERE length(event) = 16");
    assert_eq!(written, distinct, "each once");
    let mut found = 0;
    for stream in opened.store.streams().await.expect("readable") {
        let mut state = ChainState::begin(stream);
        for link in opened.store.links(stream, 0, 1_000).await.expect("readable") {
            // Theirs is at the end, since nothing was chained to it.
            if link.canonical.is_empty() {
                break;
            }
            state = state.after(&link.canonical);
            assert_eq!((link.sequence, link.hash), (state.sequence, state.hash.to_vec()));
            let record = strongroom_domain::audit::AuditRecord::from_canonical(&link.canonical).expect("a record");
            found += usize::from(events.contains(&record.event.uuid()));
        }
    }
    assert_eq!(found, events.len());
}

fn key(purpose: InstanceKeyPurpose, version: u32, sealed: u8, public: Option<[u8; 32]>) -> SealedInstanceKey {
    SealedInstanceKey { purpose, version, sealed: vec![sealed], public }
}

#[tokio::test]
async fn a_key_that_is_none_hides_no_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = common::open(folder.path()).await;
    let ours = build::instance_key(InstanceKeyPurpose::AuditSigning, 1);
    opened.ports().commit(units::of(vec![Change::InsertInstanceKey(ours.clone())])).await;
    let public = format!("x'{}'", "07".repeat(32));
    for (purpose, version, sealed, public) in [
        ("'audit-signing'", "-1", "x'01'", public.as_str()),
        ("'audit-signing'", "8589934592", "x'02'", "NULL"),
        ("'audit-signing'", "'text'", "x'03'", "NULL"),
        ("'audit-signing'", "0.5", "x'04'", "NULL"),
        ("'nothing'", "1", "x'05'", "NULL"),
        ("x'ff'", "1", "x'06'", "NULL"),
        // The bytes of the name, and no text.
        ("CAST('audit-signing' AS BLOB)", "1", "x'07'", "NULL"),
        ("'token-signing'", "0", "x'08'", "NULL"),
        ("'audit-signing'", "2", "x'09'", "x'00'"),
        ("'audit-signing'", "3", "char(10)", "'text'"),
        ("'token-signing'", "2", "x'0b'", public.as_str()),
    ] {
        plant(folder.path(), &format!("INSERT INTO instance_keys VALUES ({purpose}, {version}, {sealed}, {public})"));
    }
    let signing = InstanceKeyPurpose::AuditSigning;
    let mut wanted: Vec<_> = (1..=8).map(|sealed| key(signing, 0, sealed, None)).collect();
    wanted.extend([ours, key(signing, 2, 9, None), key(signing, 3, 10, None)]);
    wanted.push(key(InstanceKeyPurpose::TokenSigning, 2, 11, Some([7; 32])));
    assert_eq!(opened.store.instance_keys().await.expect("readable"), wanted);
}

async fn acquire(opened: &Opened, holder: u128) -> Option<Lease> {
    opened.writer.acquire(NAME, Uuid::from_u128(holder), LeaseTtl::MAX).await.expect("a lease store")
}

/// It is as if the one before had ended, and no epoch comes again.
#[tokio::test]
async fn a_lease_that_was_altered_keeps_nobody_from_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = common::open(folder.path()).await;
    let secret = opened.ports().insert(build::secret(build::scope(), "/a")).await;
    let mut held = acquire(&opened, 1).await.expect("free");
    let mut epochs = BTreeSet::from([held.epoch]);
    for (holder, altered) in (2..).zip([
        "epoch = -1",
        "epoch = 9223372036854775807",
        "epoch = 'text'",
        "epoch = 0.5",
        "holder = x'00'",
        "holder = 'text'",
        "expires_at = 'text'",
        "expires_at = -9223372036854775807 - 1",
        "expires_at = 9223372036854775807",
    ]) {
        plant(folder.path(), &format!("UPDATE leases SET {altered}"));
        let (next, revealed) = tokio::join!(
            opened.writer.acquire(NAME, Uuid::from_u128(holder), LeaseTtl::MAX),
            opened.writer.record(build::access(&secret, 1, build::at(1)))
        );
        revealed.unwrap_or_else(|error| panic!("{altered}: {error}"));
        let next = next.expect("a lease store").expect(altered);
        assert!(epochs.insert(next.epoch), "{altered}: {:?} came again", next.epoch);
        assert_eq!(opened.writer.renew(&held, LeaseTtl::MAX).await.expect("a lease store"), Renewal::Lost);
        assert_eq!(acquire(&opened, holder + 100).await, None, "{altered}");
        let expect = |lease: &Lease| Unit { expect: vec![Expect::Lease(NAME, lease.epoch)], ..Unit::default() };
        opened.writer.commit(expect(&next)).await.expect("it stands");
        let error = opened.writer.commit(expect(&held)).await.expect_err("fenced");
        assert!(matches!(error.kind(), CommitErrorKind::Conflict(_)), "{altered}: {error}");
        let Renewal::Held(renewed) = opened.writer.renew(&next, LeaseTtl::MAX).await.expect("a lease store") else {
            panic!("{altered}: lost")
        };
        held = renewed;
    }
}

/// Its records are of no stream then.
#[tokio::test]
async fn a_stream_that_is_none_hides_no_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = common::open(folder.path()).await;
    let logged = opened.ports().log(vec![build::record(Action::SecretRead), build::record(Action::SecretRead)]).await;
    let stream = logged[0].stream;
    for (ordinal, id) in [(2, "x'00'"), (3, "'text'"), (4, "17"), (5, "zeroblob(17)")] {
        plant(folder.path(), &format!("INSERT INTO audit_streams (ordinal, id) VALUES ({ordinal}, {id})"));
        plant(folder.path(), &record_at(&format!("{ordinal} * 17592186044416 + 1")));
    }
    assert_eq!(opened.store.streams().await.expect("readable"), [stream]);
    let behind = opened.store.behind(&LogReader::Index, None, 10).await.expect("readable");
    assert_eq!(behind.iter().map(|behind| (behind.stream, behind.end)).collect::<Vec<_>>(), [(stream, 2)]);
    // A line that leads there leads nowhere.
    let ours = OrganisationId::new(build::uuid());
    let entry = IndexEntry {
        organisation: Some(ours),
        term: Term::any(false),
        at: build::at(1),
        event: logged[0].record.event,
        sequence: 1,
    };
    let lines = Change::IndexRecords { stream, through: 1, entries: vec![entry] };
    opened.ports().commit(units::silent(vec![lines])).await;
    plant(folder.path(), "UPDATE audit_index SET position = 3 * 17592186044416 + 1");
    let found = opened.store.find(Some(ours), Term::any(false), Window::ALL, 10).await.expect("readable");
    assert_eq!(found.len(), 1);
    assert_ne!(found[0].1, stream);
}

/// Whatever stands in place of a position.
#[tokio::test]
async fn a_position_that_is_none_tells_of_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = common::open(folder.path()).await;
    let ports = opened.ports();
    let logged = ports.log((0..3).map(|_| build::record(Action::SecretRead)).collect()).await;
    let (stream, sink) = (logged[0].stream, LogReader::Sink(SinkName::new("siem").expect("a name")));
    ports.commit(units::silent(vec![units::advance(&sink, stream, 3)])).await;
    for position in ["1000000000000", "9223372036854775807", "-1", "'text'", "x'00'", "1e300", "4"] {
        plant(
            folder.path(),
            &format!("UPDATE audit_positions SET sequence = {position} WHERE name = '{}'", sink.name()),
        );
        for through in [0, 1, 2] {
            if through > 0 {
                ports.commit(units::silent(vec![units::advance(&sink, stream, through)])).await;
            }
            let behind = ports.behind(&sink).await;
            let found: Vec<_> = behind.iter().map(|behind| (behind.through, behind.end)).collect();
            assert_eq!(found, [(through, 3)], "{position}");
        }
    }
}
