//! The audit log as those read it who may.

mod altered;
mod bounds;
mod naive;
mod pages;
mod slow;

use crate::iam::support::House;
use core::time::Duration;
use naive::{Made, filters, made};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use slow::Slow;
use std::collections::BTreeSet;
use std::sync::Arc;
use strongroom::audit::{AuditCursor, AuditFilter, AuditPage, AuditQuery, Indexed};
use strongroom::domain::audit::{Action, AuditRecord, ChainState, LogReader};
use strongroom::domain::directory::{MemberRole, ObjectKind};
use strongroom::domain::id::EventId;
use strongroom::domain::lease::{Lease, LeaseName, LeaseTtl};
use strongroom::domain::port::{AuditReader, Committer, Leases};
use strongroom::domain::principal::Principal;
use strongroom::domain::unit::{Change, Unit};
use strongroom::{Code, Error};
use strongroom_testkit::{AlteredLog, build};
use uuid::Uuid;

async fn append(house: &House, records: Vec<AuditRecord>) {
    house.store.commit(Unit { records, ..Unit::default() }).await.expect("appends");
}

/// Until everything can be found.
async fn index(house: &House) {
    while house.engine.index_audit(7).await.expect("indexes").more {}
}

async fn ask(house: &House, query: &AuditQuery) -> Result<AuditPage, Error> {
    let session = house.by(house.owner).await;
    house.engine.audit(&session).await?.run(query).await
}

fn events(records: &[AuditRecord]) -> Vec<EventId> {
    records.iter().map(|record| record.event).collect()
}

/// A record that can be found in the organisation's log.
fn record(house: &House, action: Action) -> AuditRecord {
    AuditRecord { organisation: Some(house.id), at: naive::at(1), ..build::record(action) }
}

async fn check_all_ways(house: &House, made: &Made, filter: &AuditFilter, limit: u32) {
    let wanted = events(&made.wanted(house.id, filter));
    let many = AuditQuery { filter: filter.clone(), page: 1, limit: 1_000, cursor: None };
    let whole = ask(house, &many).await.expect("a page");
    assert_eq!(events(&whole.items), wanted, "{filter:?}");
    assert_eq!((whole.total_items, whole.next), (wanted.len() as u64, None));

    // By numbers …
    let pages = wanted.len().div_ceil(limit as usize).max(1);
    let mut found = Vec::new();
    for page in 1..=pages {
        let page = u32::try_from(page).expect("few");
        let part = ask(house, &AuditQuery { filter: filter.clone(), page, limit, cursor: None }).await.expect("a page");
        found.extend(events(&part.items));
        let follows = found.len() < wanted.len();
        assert_eq!(part.next.is_some(), follows);
        let total_pages = part.total_pages;
        assert_eq!(u64::from(page) < total_pages, follows, "page {page} of {total_pages}");
        if filter.search_text.is_none() {
            assert_eq!(part.total_items, wanted.len() as u64);
        }
    }
    assert_eq!(found, wanted, "by pages of {limit}");
    let beyond = AuditQuery { filter: filter.clone(), page: 1_000, limit, cursor: None };
    let beyond = ask(house, &beyond).await.expect("a page");
    assert!(beyond.items.is_empty() && beyond.next.is_none() && beyond.total_items <= wanted.len() as u64);

    // … by cursors …
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let part = ask(house, &AuditQuery { filter: filter.clone(), page: 1, limit, cursor }).await.expect("a page");
        found.extend(events(&part.items));
        cursor = part.next.map(|next| next.to_string().parse::<AuditCursor>().expect("is read back"));
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, wanted, "by cursors, {limit} at once");

    // … and as an export.
    let session = house.by(house.owner).await;
    let export = house.engine.export_audit(&session).await.expect("allowed").run(filter).await.expect("begins");
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = export.page(&house.engine, cursor).await.expect("a page");
        for exported in page.items {
            let before = ChainState {
                stream: exported.chained.stream,
                sequence: exported.chained.sequence - 1,
                hash: exported.previous.expect("nothing was removed"),
            };
            assert_eq!(before.after(&exported.chained.canonical).hash, exported.chained.hash);
            found.push(exported.chained.record.event);
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, wanted, "as an export");
}

#[test]
fn finds_what_a_filter_finds() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut runner = TestRunner::new(Config { cases: 48, ..Config::default() });
    let inputs = (made(), prop::collection::vec(filters(), 4), 1..40_u32);
    let outcome = runner.run(&inputs, |(mut made, filters, limit)| {
        runtime.block_on(async {
            let house = House::new().await;
            made.settle(&house).await;
            append(&house, made.records.clone()).await;
            index(&house).await;
            for filter in &filters {
                check_all_ways(&house, &made, filter, limit).await;
            }
        });
        Ok(())
    });
    outcome.expect("every case holds");
}

#[tokio::test]
async fn only_who_may_reads_the_log_and_that_is_recorded() {
    let house = House::new().await;
    for (name, rules, may) in [
        ("list", &[("audit_log", &[][..], &["list"][..])][..], true),
        ("read", &[("audit_log", &["*"][..], &["read"][..])][..], true),
        ("another permission", &[("audit_log", &[][..], &["update", "delete"][..])][..], false),
        ("another type", &[("secret", &[][..], &["*"][..])][..], false),
        ("something named", &[("audit_log", &["x"][..], &["*"][..])][..], false),
        ("nothing", &[][..], false),
    ] {
        let user = house.member_with(name, rules).await;
        let session = house.by(user).await;
        let read = match house.engine.audit(&session).await {
            Ok(operation) => operation.run(&AuditQuery::default()).await.map(drop),
            Err(error) => Err(error),
        };
        let (outcome, status) = if may { ("success", 200) } else { ("denied", 403) };
        assert_eq!(house.last_record().await, ("audit.read", outcome, status), "{name}");
        assert_eq!(read.err().map(|error| error.code()), (!may).then_some(Code::Forbidden), "{name}");
        let export = match house.engine.export_audit(&session).await {
            Ok(operation) => operation.run(&AuditFilter::default()).await.map(drop),
            Err(error) => Err(error),
        };
        assert_eq!(export.is_ok(), may, "{name}");
        assert_eq!(house.last_record().await, ("audit.export", outcome, status), "{name}");
    }
    let records = house.records().await;
    assert!(records.iter().rev().take(12).all(|record| record.organisation == Some(house.id)));
}

#[tokio::test]
async fn names_are_those_of_now() {
    let house = House::new().await;
    let (known, gone) = (house.member("Known", MemberRole::Member).await, house.service_account("gone").await);
    let account = house.service_account("CI").await;
    let by = |principal| AuditRecord { principal: Some(principal), ..record(&house, Action::SecretRead) };
    append(&house, vec![by(Principal::User(known)), by(Principal::ServiceAccount(account))]).await;
    append(&house, vec![by(Principal::ServiceAccount(gone))]).await;
    let change = Change::DeleteObject { kind: ObjectKind::ServiceAccount, id: gone.uuid() };
    house.store.commit(Unit { changes: vec![change], ..Unit::default() }).await.expect("deletes");
    index(&house).await;
    let page = ask(&house, &AuditQuery { limit: 100, ..AuditQuery::default() }).await.expect("a page");
    assert_eq!(page.names.users[&known].name, "Known");
    assert_eq!(page.names.service_accounts[&account].named.slug, "ci");
    assert!(!page.names.service_accounts.contains_key(&gone));
    for (name, count) in [("ci", 1), (&*account.to_string(), 1), (&*gone.to_string(), 1), ("gone", 0), ("other", 0)] {
        let filter = AuditFilter { service_account: Some(name.to_owned()), ..AuditFilter::default() };
        let page = ask(&house, &AuditQuery { filter, limit: 10, ..AuditQuery::default() }).await.expect("a page");
        assert_eq!(page.items.len(), count, "{name}");
    }
}

#[tokio::test]
async fn what_is_not_indexed_yet_is_not_found_and_nothing_is_left_out() {
    let house = House::new().await;
    index(&house).await;
    append(&house, (0..500).map(|_| record(&house, Action::SecretRead)).collect()).await;
    let filter = AuditFilter { actions: vec![Action::SecretRead], ..AuditFilter::default() };
    let count =
        async || ask(&house, &AuditQuery { filter: filter.clone(), limit: 1_000, ..AuditQuery::default() }).await;
    assert_eq!(count().await.expect("a page").items.len(), 0);
    let round = house.engine.index_audit(200).await.expect("indexes");
    assert_eq!(round, Indexed { records: 200, foreign: 0, more: true });
    assert_eq!(count().await.expect("a page").items.len(), 200);
    index(&house).await;
    assert_eq!(count().await.expect("a page").items.len(), 500);
    // Its own units leave no records, else it would never end.
    let behind = house.store.behind(&LogReader::Index, None, 10).await.expect("reads");
    assert!(behind.iter().all(|behind| behind.end - behind.through <= 2), "{behind:?}");
}

#[tokio::test]
async fn one_node_at_a_time_makes_the_index() {
    let house = House::new().await;
    append(&house, vec![record(&house, Action::SecretRead)]).await;
    let ttl = LeaseTtl::new(Duration::from_secs(60)).expect("legal");
    let other = house.store.acquire(LeaseName::AuditIndex, Uuid::from_u128(9), ttl).await.expect("asks").expect("free");
    assert_eq!(house.engine.index_audit(200).await.expect("asks"), Indexed::default());
    house.store.release(&other).await.expect("releases");
    assert!(house.engine.index_audit(200).await.expect("indexes").records > 0);

    // Whoever comes after the lease was lost finds the work done or undone, never half.
    append(&house, vec![record(&house, Action::SecretRead)]).await;
    let lost = house.store.behind(&LogReader::Index, None, 10).await.expect("reads");
    let ours = Lease { epoch: other.epoch.next(), ..other };
    house.store.release(&ours).await.expect("releases");
    house.store.acquire(LeaseName::AuditIndex, Uuid::from_u128(9), ttl).await.expect("asks").expect("free");
    assert_eq!(house.engine.index_audit(200).await.expect("asks"), Indexed::default());
    assert_eq!(house.store.behind(&LogReader::Index, None, 10).await.expect("reads"), lost);
}

#[tokio::test]
async fn a_search_for_text_stops_in_time_and_can_be_gone_on_with() {
    let house = House::with(|ports| {
        ports.audit =
            Arc::new(AlteredLog(Arc::new(Slow { inner: Arc::clone(&ports.audit), clock: Arc::clone(&ports.clock) })));
    })
    .await;
    let needle = |mut record: AuditRecord| {
        record.decided_by = Some("Some Needle".to_owned());
        record
    };
    let mut records: Vec<_> = (0..1_200).map(|_| record(&house, Action::SecretRead)).collect();
    records[3] = needle(records[3].clone());
    records[1_100] = needle(records[1_100].clone());
    let wanted: BTreeSet<_> = [&records[3], &records[1_100]].map(|record| record.event).into();
    append(&house, records).await;
    while house.engine.index_audit(1_000).await.expect("indexes").more {}
    let filter = AuditFilter { search_text: Some("nEEDLE".to_owned()), ..AuditFilter::default() };
    let (mut found, mut cursor, mut stopped) = (BTreeSet::new(), None, 0);
    loop {
        let query = AuditQuery { filter: filter.clone(), page: 1, limit: 10, cursor };
        let page = ask(&house, &query).await.expect("a page");
        found.extend(events(&page.items));
        stopped += u32::from(page.searched_until.is_some());
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
        assert!(page.searched_until.is_some(), "only what was stopped goes on");
        assert_eq!(page.total_pages, 2, "more may follow");
    }
    assert_eq!(found, wanted);
    assert!(stopped > 0, "it never stopped");
}
