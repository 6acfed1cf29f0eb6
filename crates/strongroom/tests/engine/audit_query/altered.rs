//! A log that somebody altered who can write to the database.

use super::{append, ask, events, index, naive, record};
use crate::audit_outbox::FixedKeys;
use crate::damaged_log::{DamagedLog, PlantedAhead};
use crate::iam::support::House;
use std::collections::BTreeSet;
use std::sync::Arc;
use strongroom::AuditKeyPorts;
use strongroom::audit::{AuditExport, AuditFilter, AuditQuery};
use strongroom::domain::audit::{Action, AuditRecord, ChainedRecord, IndexEntry};
use strongroom::domain::id::{EventId, OrganisationId, StreamId};
use strongroom::domain::port::{AuditReader, Clock, Committer};
use strongroom::domain::root_key::InstanceKeyPurpose;
use strongroom::domain::unit::{Change, Unit};
use strongroom_testkit::build;
use uuid::Uuid;

const STREAM: StreamId = StreamId::new(Uuid::nil());

fn filter() -> AuditFilter {
    AuditFilter { actions: vec![Action::SecretRead], to: Some(naive::at(40)), ..AuditFilter::default() }
}

async fn logged(house: &House) -> Vec<ChainedRecord> {
    let all = house.store.records(STREAM, 0, 10_000).await.expect("readable");
    all.into_iter().filter(|it| it.record.action == Action::SecretRead && it.record.at == naive::at(1)).collect()
}

async fn plant(house: &House, entries: Vec<IndexEntry>) {
    let through = house.store.records(STREAM, 0, 10_000).await.expect("readable").len() as u64;
    let change = Change::IndexRecords { stream: STREAM, through, entries };
    house.store.commit(Unit { changes: vec![change], ..Unit::default() }).await.expect("planted");
}

/// By pages of these sizes, and as an export. Ends where it would go round in a circle.
async fn check(house: &House, wanted: &[EventId]) {
    for limit in [1, 3, 1_000] {
        let (mut found, mut cursor) = (Vec::new(), None);
        for round in 0.. {
            assert!(round <= wanted.len() + 1, "goes on for ever, {limit} at once");
            let query = AuditQuery { filter: filter(), page: 1, limit, cursor };
            let page = ask(house, &query).await.expect("a page");
            assert_eq!(page.total_pages > 1, page.next.is_some());
            found.extend(events(&page.items));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, wanted, "{limit} at once");
    }
    let session = house.by(house.owner).await;
    let export = house.engine.export_audit(&session).await.expect("allowed").run(&filter()).await.expect("begins");
    let (mut found, mut cursor) = (Vec::new(), None);
    for round in 0.. {
        assert!(round <= wanted.len() / 500 + 1, "the export goes on for ever");
        let page = export.page(&house.engine, cursor).await.expect("a page");
        found.extend(page.items.iter().map(|exported| exported.chained.record.event));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, wanted, "as an export");
}

fn newest_first(records: &[ChainedRecord], house: &House) -> Vec<EventId> {
    let ours = records.iter().filter(|it| it.record.organisation == Some(house.id));
    let mut wanted: Vec<_> = ours.map(|it| it.record.event).collect();
    wanted.sort();
    wanted.reverse();
    wanted
}

#[tokio::test]
async fn a_planted_line_shows_no_record_of_another_organisation() {
    let house = House::new().await;
    let other = Some(OrganisationId::new(Uuid::from_u128(77)));
    let theirs = AuditRecord { organisation: other, ..record(&house, Action::SecretRead) };
    append(&house, vec![record(&house, Action::SecretRead), theirs, record(&house, Action::SecretRead)]).await;
    index(&house).await;
    let records = logged(&house).await;
    let wanted = newest_first(&records, &house);
    assert_eq!(wanted.len(), 2);
    let stolen = records.iter().find(|it| it.record.organisation == other).expect("logged");
    let lines = IndexEntry::of(&stolen.record, stolen.sequence).into_iter();
    plant(&house, lines.map(|line| IndexEntry { organisation: Some(house.id), ..line }).collect()).await;
    check(&house, &wanted).await;
}

#[tokio::test]
async fn a_changed_line_leads_nobody_round_in_a_circle() {
    let house = House::new().await;
    append(&house, (0..700).map(|_| record(&house, Action::SecretRead)).collect()).await;
    index(&house).await;
    let records = logged(&house).await;
    let wanted = newest_first(&records, &house);
    let newest = records.iter().max_by_key(|it| it.record.event).expect("some");
    // Lines at the end of each page of an export that lead back to the newest record.
    let mut planted = Vec::new();
    for at in [1, 2, 499, 500, 501, 698, 699] {
        let old = records.iter().find(|it| it.record.event == wanted[at]).expect("logged");
        let lines = IndexEntry::of(&old.record, old.sequence).into_iter();
        let beside = EventId::new(Uuid::from_u128(old.record.event.uuid().as_u128() - 1));
        planted.extend(lines.map(|line| IndexEntry { event: beside, sequence: newest.sequence, ..line }));
    }
    plant(&house, planted).await;
    check(&house, &wanted).await;
}

#[tokio::test]
async fn damaged_records_are_left_out() {
    // What the house leaves at first are fewer.
    let damaged: BTreeSet<u64> = (100..110).chain([150]).collect();
    let house = House::with(|ports| {
        let inner = Arc::clone(&ports.audit);
        ports.audit = DamagedLog::of(inner, damaged.clone());
    })
    .await;
    append(&house, (0..200).map(|_| record(&house, Action::SecretRead)).collect()).await;
    index(&house).await;
    let records: Vec<_> =
        logged(&house).await.into_iter().filter(|record| !damaged.contains(&record.sequence)).collect();
    assert_eq!(records.len(), 189);
    check(&house, &newest_first(&records, &house)).await;
}

/// The index never takes it, so that nothing is waited for.
#[tokio::test]
async fn an_export_waits_for_nothing_that_no_server_wrote() {
    let house = House::with(|ports| {
        ports.audit = PlantedAhead::of(Arc::clone(&ports.audit), 1_000);
        ports.audit_keys = Some(AuditKeyPorts { keys: Arc::new(FixedKeys), verifier: Arc::new(FixedKeys) });
    })
    .await;
    let key = Change::InsertInstanceKey(build::instance_key(InstanceKeyPurpose::AuditSigning, 1));
    house.store.commit(Unit { changes: vec![key], ..Unit::default() }).await.expect("stored");
    let begin = async || -> AuditExport {
        let session = house.by(house.owner).await;
        let export = house.engine.export_audit(&session).await.expect("allowed");
        export.run(&filter()).await.expect("begins")
    };
    append(&house, vec![record(&house, Action::SecretRead)]).await;
    index(&house).await;
    assert_eq!(house.engine.index_audit(7).await.expect("rests").foreign, 1);
    let before = house.clock.now();
    assert!(!begin().await.may_lack_newest());
    assert_eq!(house.clock.now(), before, "it waited for what was planted");
    // What servers wrote is waited for as ever.
    append(&house, vec![record(&house, Action::SecretRead)]).await;
    assert!(begin().await.may_lack_newest(), "nobody makes the index");
    assert!(house.clock.now() > before);
    index(&house).await;
    let export = begin().await;
    assert!(!export.may_lack_newest());
    assert_eq!(export.page(&house.engine, None).await.expect("a page").items.len(), 2);
}
