//! What a search costs at the most, and what is said where it ends early.

use super::slow::{Slow, SlowIndex};
use super::{append, ask, events, naive, record};
use crate::iam::support::House;
use async_trait::async_trait;
use std::sync::{Arc, Mutex};
use strongroom::Code;
use strongroom::audit::{AuditFilter, AuditPage, AuditQuery, MAX_AUDIT_COUNT};
use strongroom::domain::audit::{Action, AuditRecord, ChainState, ChainedRecord, IndexEntry, Term};
use strongroom::domain::id::{EventId, OrganisationId, StreamId};
use strongroom::domain::port::{AuditReader, Clock, ReadError, Window};
use strongroom::domain::time::Timestamp;
use strongroom_testkit::{AlterLog, AlteredLog, build};
use uuid::Uuid;

const STREAM: StreamId = StreamId::new(Uuid::nil());
const LINES: u64 = 300_000;

/// An index with many lines, one for each microsecond; most of the records have been removed meanwhile.
struct Long {
    inner: Arc<dyn AuditReader>,
    /// Where there are records still; the text is in them.
    kept: [u64; 2],
    asked: Mutex<Asked>,
}

struct Asked {
    /// Whose log.
    by: Option<OrganisationId>,
    /// How many lines were read.
    lines: u64,
    /// How often each record was looked for.
    records: Vec<u8>,
}

impl Long {
    fn kept(&self, number: u64, organisation: Option<OrganisationId>) -> Option<ChainedRecord> {
        self.kept.contains(&number).then(|| ChainedRecord {
            stream: STREAM,
            sequence: number,
            hash: ChainState::begin(STREAM).hash,
            signature: None,
            canonical: Vec::new(),
            record: AuditRecord {
                at: Timestamp::from_micros(number as i64),
                event: EventId::new(Uuid::from_u128(number.into())),
                organisation,
                decided_by: Some("the needle".to_owned()),
                ..build::record(Action::SecretRead)
            },
        })
    }
}

#[async_trait]
impl AlterLog for Long {
    fn log(&self) -> &dyn AuditReader {
        &*self.inner
    }

    async fn find(
        &self,
        organisation: Option<OrganisationId>,
        term: Term,
        window: Window,
        limit: u32,
    ) -> Result<Vec<(IndexEntry, StreamId)>, ReadError> {
        let line = |number: u64| IndexEntry {
            organisation,
            term,
            at: Timestamp::from_micros(number as i64),
            event: EventId::new(Uuid::from_u128(number.into())),
            sequence: number,
        };
        let from = (window.before.0.as_micros() as u64).min(LINES);
        let lines = (1..=from).rev().map(line).filter(|line| (line.at, line.event) < window.before);
        let found: Vec<_> = lines.take(limit as usize).map(|line| (line, STREAM)).collect();
        let mut asked = self.asked.lock().expect("unpoisoned");
        asked.by = organisation;
        asked.lines += found.len() as u64;
        Ok(found)
    }

    async fn at(&self, places: &[(StreamId, u64)]) -> Result<Vec<Option<ChainedRecord>>, ReadError> {
        let mut asked = self.asked.lock().expect("unpoisoned");
        let look = |(_, number): &(StreamId, u64)| {
            asked.records[*number as usize] += 1;
            self.kept(*number, asked.by)
        };
        Ok(places.iter().map(look).collect())
    }
}

/// However quick the store is: a search must not read millions of records for one call.
#[tokio::test]
async fn a_search_for_text_reads_so_much_and_goes_on_from_there() {
    let mut long = None;
    let house = House::with(|ports| {
        let inner = Arc::clone(&ports.audit);
        let asked = Asked { by: None, lines: 0, records: vec![0; LINES as usize + 1] };
        let made = Arc::new(Long { inner, kept: [5, LINES - 10], asked: Mutex::new(asked) });
        long = Some(made.clone());
        ports.audit = Arc::new(AlteredLog(made));
    })
    .await;
    let long = long.expect("set");
    let found = |page: &AuditPage| -> Vec<i64> { page.items.iter().map(|record| record.at.as_micros()).collect() };
    let filter = AuditFilter { search_text: Some("NEEDLE".to_owned()), ..AuditFilter::default() };
    let query = AuditQuery { filter, page: 1, limit: 10, cursor: None };
    let began = house.clock.now();
    let first = ask(&house, &query).await.expect("a page");
    assert_eq!(found(&first), [LINES as i64 - 10]);
    let (read, next) = (long.asked.lock().expect("unpoisoned").lines, first.next.expect("it is not at the end"));
    assert!((195_000..=201_000).contains(&read), "{read} lines");
    let until = first.searched_until.expect("it says so").as_micros();
    assert!((LINES as i64 - 201_000..LINES as i64 - 195_000).contains(&until), "{until}");
    let second = ask(&house, &AuditQuery { cursor: Some(next), ..query }).await.expect("a page");
    assert_eq!((found(&second), second.next, second.searched_until), (vec![5], None, None));
    assert_eq!(house.clock.now(), began, "no time passed");
    let looked = &long.asked.lock().expect("unpoisoned").records;
    assert!(looked[1..].iter().all(|times| *times == 1), "all are looked at, and none twice");
}

async fn house_with(counts: &[(Action, u32)], house: House) -> House {
    for (action, count) in counts {
        append(&house, (0..*count).map(|_| record(&house, *action)).collect()).await;
    }
    while house.engine.index_audit(2_000).await.expect("indexes").more {}
    house
}

fn of(action: Action) -> AuditFilter {
    // What the house itself leaves in the log comes later.
    AuditFilter { actions: vec![action], to: Some(naive::at(40)), ..AuditFilter::default() }
}

#[tokio::test]
async fn totals_are_exact_up_to_ten_thousand_and_then_say_that_there_are_more() {
    let counts = [(Action::SecretRead, 10_000), (Action::SecretList, 10_001), (Action::KmsDecrypt, 12_000)];
    let house = house_with(&counts, House::new().await).await;
    assert_eq!(MAX_AUDIT_COUNT, 10_000);
    for (action, total) in [(Action::SecretRead, 10_000), (Action::SecretList, 10_001), (Action::KmsDecrypt, 10_001)] {
        // One list, and what two have in common.
        let single = of(action);
        for filter in [single.clone(), AuditFilter { status: Some(200), ..single }] {
            let page = ask(&house, &AuditQuery { filter, limit: 100, ..AuditQuery::default() }).await.expect("a page");
            let pages = u64::div_ceil(total, 100);
            assert_eq!((page.total_items, page.total_pages), (total, pages), "{action:?}");
        }
    }
}

/// Nothing is shown of a page that could not be reached, and who asks again gets there.
#[tokio::test]
async fn a_page_too_far_off_is_reached_by_asking_again() {
    let house = House::with(|ports| {
        let (inner, clock) = (Arc::clone(&ports.audit), Arc::clone(&ports.clock));
        ports.audit = Arc::new(AlteredLog(Arc::new(SlowIndex(Slow { inner, clock }))));
    })
    .await;
    let house = house_with(&[(Action::SecretRead, 12_500)], house).await;
    let far = AuditQuery { filter: of(Action::SecretRead), page: 1_000, limit: 10, cursor: None };
    let mut refused = 0;
    let page = loop {
        let began = house.clock.now();
        match ask(&house, &far).await {
            Ok(page) => break page,
            Err(error) => {
                assert_eq!(error.code(), Code::StoreUnavailable);
                assert!(error.to_string().contains("Page 1000 is too far off"), "{error}");
                assert!(house.clock.now().micros_since(began) <= 6_000_000, "it takes its time, and no more");
            }
        }
        refused += 1;
        assert!(refused < 6, "it does not go on from where it came to");
    };
    assert!(refused >= 2, "{refused}");
    let ours = house.records().await.into_iter().filter(|record| record.action == Action::SecretRead);
    let mut wanted: Vec<EventId> = ours.map(|record| record.event).collect();
    wanted.sort();
    wanted.reverse();
    assert_eq!(events(&page.items), wanted[9_990..10_000]);
}
