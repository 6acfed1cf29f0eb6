//! Pages that are asked for by number, and what is counted.

use super::{append, ask, events, naive, record};
use crate::iam::support::House;
use async_trait::async_trait;
use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;
use strongroom::audit::{AuditFilter, AuditQuery};
use strongroom::domain::audit::{Action, AuditRecord};
use strongroom::domain::port::Clock;
use strongroom::domain::time::Timestamp;

async fn house_with(records: impl IntoIterator<Item = AuditRecord>, house: House) -> House {
    append(&house, records.into_iter().collect()).await;
    while house.engine.index_audit(2_000).await.expect("indexes").more {}
    house
}

fn of(action: Action) -> AuditFilter {
    // What the house itself leaves in the log comes later.
    AuditFilter { actions: vec![action], to: Some(naive::at(40)), ..AuditFilter::default() }
}

/// As existing clients go through the log.
#[tokio::test]
async fn a_large_log_is_read_to_its_end_by_numbers() {
    let house = House::new().await;
    let records: Vec<_> = (0..12_500).map(|_| record(&house, Action::SecretRead)).collect();
    let house = house_with(records.clone(), house).await;
    let (mut found, mut page) = (BTreeSet::new(), 1);
    loop {
        let query = AuditQuery { filter: of(Action::SecretRead), page, limit: 100, cursor: None };
        let part = ask(&house, &query).await.expect("a page");
        assert_eq!(part.items.len(), 100, "page {page}");
        found.extend(events(&part.items));
        assert_eq!(u64::from(page) < part.total_pages, part.next.is_some(), "page {page}");
        if u64::from(page) >= part.total_pages {
            break;
        }
        page += 1;
    }
    assert_eq!((page, found.len()), (125, 12_500));
}

#[tokio::test]
async fn any_page_can_be_asked_for_and_those_beyond_the_end_are_empty() {
    let house = House::new().await;
    let records: Vec<_> = (0..1_000).map(|_| record(&house, Action::SecretRead)).collect();
    let mut wanted = events(&records);
    wanted.sort();
    wanted.reverse();
    let house = house_with(records, house).await;
    for (page, limit) in
        [(7, 100), (3, 100), (10, 100), (2, 100), (400, 2), (11, 100), (u32::MAX, 1_000), (u32::MAX, 1)]
    {
        let query = AuditQuery { filter: of(Action::SecretRead), page, limit, cursor: None };
        let part = ask(&house, &query).await.expect("a page");
        let from = usize::try_from(u64::from(page - 1) * u64::from(limit)).expect("fits").min(1_000);
        let to = (from + limit as usize).min(1_000);
        assert_eq!(events(&part.items), wanted[from..to], "page {page} of {limit}");
        assert_eq!(part.next.is_some(), to < 1_000, "page {page} of {limit}");
        assert_eq!(u64::from(page) < part.total_pages, to < 1_000, "page {page} of {limit}");
        assert_eq!(part.total_items, 1_000, "page {page} of {limit}");
    }
}

/// Records that come meanwhile push nothing out of sight.
#[tokio::test]
async fn who_goes_from_page_to_page_sees_each_entry_once() {
    let house = House::new().await;
    let records: Vec<_> = (0..30).map(|_| record(&house, Action::SecretRead)).collect();
    let wanted: BTreeSet<_> = events(&records).into_iter().collect();
    let house = house_with(records, house).await;
    let mut found = Vec::new();
    for page in 1..=3 {
        let query = AuditQuery { filter: of(Action::SecretRead), page, limit: 10, cursor: None };
        found.extend(events(&ask(&house, &query).await.expect("a page").items));
        let newer = AuditRecord { at: naive::at(2), ..record(&house, Action::SecretRead) };
        append(&house, vec![newer]).await;
        while house.engine.index_audit(100).await.expect("indexes").more {}
    }
    assert_eq!((found.len(), found.into_iter().collect::<BTreeSet<_>>()), (30, wanted));
}

#[tokio::test]
async fn what_several_filters_have_in_common_is_counted_exactly() {
    let house = House::new().await;
    // Many lines for each that counts.
    let records: Vec<_> = (0..60_000)
        .map(|n| {
            let action = if n % 8 == 0 { Action::SecretRead } else { Action::SecretList };
            AuditRecord { status: if n % 16 < 9 { 200 } else { 403 }, ..record(&house, action) }
        })
        .collect();
    let house = house_with(records, house).await;
    for (status, counted) in [(200, 7_500), (403, 0)] {
        let filter = AuditFilter { status: Some(status), ..of(Action::SecretRead) };
        let page = ask(&house, &AuditQuery { filter, limit: 10, ..AuditQuery::default() }).await.expect("a page");
        assert_eq!(page.total_items, counted, "{status}");
    }
}

/// Lets others work while somebody sleeps.
struct Yielding(Arc<dyn Clock>);

#[async_trait]
impl Clock for Yielding {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_export_waits_for_the_index_and_says_when_that_took_too_long() {
    let house = House::with(|ports| ports.clock = Arc::new(Yielding(Arc::clone(&ports.clock)))).await;
    append(&house, (0..50).map(|_| record(&house, Action::SecretRead)).collect()).await;
    let begin = async || {
        let session = house.by(house.owner).await;
        let export = house.engine.export_audit(&session).await.expect("allowed");
        export.run(&of(Action::SecretRead)).await.expect("begins")
    };
    let export = begin().await;
    assert!(export.may_lack_newest(), "nobody makes the index");
    assert!(export.page(&house.engine, None).await.expect("a page").items.is_empty());

    // Another node makes it meanwhile.
    let engine = Arc::clone(&house.engine);
    let (export, _) = tokio::join!(begin(), async {
        while engine.index_audit(7).await.expect("indexes").more {
            tokio::task::yield_now().await;
        }
    });
    assert!(!export.may_lack_newest());
    assert_eq!(export.page(&house.engine, None).await.expect("a page").items.len(), 50);
}
