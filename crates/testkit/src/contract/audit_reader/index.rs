use crate::contract::Store;
use crate::{build, units};
use strongroom_domain::audit::{Action, AuditRecord, ChainedRecord, IndexEntry, Term};
use strongroom_domain::id::{EventId, OrganisationId, StreamId};
use strongroom_domain::port::{StoredLine, Window};
use strongroom_domain::unit::Change;

/// A record of an organisation's log at a second.
fn record(organisation: Option<OrganisationId>, action: Action, second: i64) -> AuditRecord {
    AuditRecord { organisation, at: build::at(second), ..build::record(action) }
}

fn organisation() -> Option<OrganisationId> {
    Some(OrganisationId::new(build::uuid()))
}

/// Logs and indexes records.
async fn indexed_records(store: &Store, records: Vec<AuditRecord>) -> Vec<ChainedRecord> {
    let logged = store.log(records).await;
    store.commit(units::silent(vec![units::index(&logged)])).await;
    logged
}

/// The lines of a term that lead to these records, as they are to be found.
fn lines(records: &[ChainedRecord], organisation: Option<OrganisationId>, term: Term) -> Vec<(IndexEntry, StreamId)> {
    let all = records.iter().flat_map(|chained| {
        IndexEntry::of(&chained.record, chained.sequence).into_iter().map(|entry| (entry, chained.stream))
    });
    let mut found: Vec<_> = all.filter(|(entry, _)| (entry.organisation, entry.term) == (organisation, term)).collect();
    found.sort_by_key(|(entry, _)| std::cmp::Reverse((entry.at, entry.event)));
    found
}

/// Lines come newest first; of one time, the one of the highest event first, whatever the order in which they were written.
pub async fn find_is_newest_first_and_then_by_event(store: Store) {
    let ours = organisation();
    let mut records = [5, 7, 5, 3].map(|second| record(ours, Action::SecretRead, second));
    let (first, third) = (records[0].event, records[2].event);
    (records[0].event, records[2].event) = (third, first);
    let mut logged = indexed_records(&store, records.to_vec()).await;
    logged.extend(indexed_records(&store, vec![record(ours, Action::SecretRead, 5)]).await);
    let wanted = lines(&logged, ours, Term::any(false));
    assert_eq!(wanted.len(), 5);
    let found = store.audit.find(ours, Term::any(false), Window::ALL, 100).await.expect("readable");
    assert_eq!(found, wanted);
}

/// A window has its first time and not its last line; pages of every size, each before the last line of the one before, give all.
pub async fn find_pages_by_window(store: Store) {
    let ours = organisation();
    let records = (0..12).map(|number| record(ours, Action::SecretRead, number / 3)).collect();
    let logged = indexed_records(&store, records).await;
    let term = Term::action(Action::SecretRead, false);
    let wanted = lines(&logged, ours, term);
    let find = async |window, limit| store.audit.find(ours, term, window, limit).await.expect("readable");
    for size in [1, 2, 5, 12] {
        let mut pages: Vec<(IndexEntry, StreamId)> = Vec::new();
        let mut window = Window::ALL;
        loop {
            let page = find(window, size).await;
            assert!(page.len() <= size as usize && pages.len() <= wanted.len());
            let Some((last, _)) = page.last() else { break };
            window.before = (last.at, last.event);
            pages.extend(page);
        }
        assert_eq!(pages, wanted, "by {size}");
    }
    for (from, to) in [(1, 3), (0, 1), (2, 2), (3, 1), (3, 9), (9, 12)] {
        let (from, to) = (build::at(from), build::at(to));
        let mut within = wanted.clone();
        within.retain(|(entry, _)| from <= entry.at && entry.at < to);
        assert_eq!(find(Window::between(from, to), 100).await, within);
        let counted = store.audit.count(ours, term, Window::between(from, to), 100).await.expect("readable");
        assert_eq!(counted as usize, within.len());
    }
    assert_eq!(find(Window::ALL, 0).await, []);
}

/// A log is one organisation's, or that of none; a term finds its own lines only.
pub async fn find_sees_only_its_log_and_term(store: Store) {
    let (ours, theirs) = (organisation(), organisation());
    let by_itself =
        |organisation| AuditRecord { principal: None, request: None, ..record(organisation, Action::KmsRotate, 4) };
    let mut records = Vec::new();
    for of in [ours, theirs, None] {
        let Some(principal) = build::record(Action::SecretRead).principal else { continue };
        let other = AuditRecord { status: 403, principal: Some(principal), ..record(of, Action::SecretDelete, 2) };
        let elsewhere = AuditRecord { resource: None, ..record(of, Action::SecretDelete, 3) };
        records.extend([record(of, Action::SecretRead, 1), other, elsewhere, by_itself(of)]);
    }
    let logged = indexed_records(&store, records).await;
    let mut terms: Vec<Term> = logged.iter().flat_map(|chained| Term::of(&chained.record)).collect();
    terms.push(Term::status(500, false));
    for of in [ours, theirs, None, organisation()] {
        for term in &terms {
            let found = store.audit.find(of, *term, Window::ALL, 100).await.expect("readable");
            assert_eq!(found, lines(&logged, of, *term), "{term:?} of {of:?}");
        }
    }
}

/// What is counted is what `find` would find, up to the limit.
pub async fn count_is_bounded(store: Store) {
    let ours = organisation();
    let records = (0..7).map(|second| record(ours, Action::SecretRead, second)).collect();
    indexed_records(&store, records).await;
    for (limit, wanted) in [(0, 0), (1, 1), (6, 6), (7, 7), (8, 7), (u32::MAX, 7)] {
        let counted = store.audit.count(ours, Term::any(false), Window::ALL, limit).await.expect("readable");
        assert_eq!(counted, wanted);
    }
    assert_eq!(store.audit.count(None, Term::any(false), Window::ALL, 9).await.expect("readable"), 0);
}

/// A line is there when it leads to its record, and not to another place.
pub async fn indexed_wants_the_very_record(store: Store) {
    let ours = organisation();
    let logged = store.log((0..60).map(|second| record(ours, Action::SecretRead, second)).collect()).await;
    let stream = logged[0].stream;
    let entries: Vec<IndexEntry> =
        logged.iter().flat_map(|chained| IndexEntry::of(&chained.record, chained.sequence)).collect();
    let indexed = async |stream, entries: &[IndexEntry]| store.audit.indexed(stream, entries).await.expect("readable");
    assert_eq!(indexed(stream, &entries).await, vec![false; entries.len()]);
    store.commit(units::silent(vec![units::index(&logged[..40])])).await;
    let wanted: Vec<bool> = entries.iter().map(|entry| entry.sequence <= logged[39].sequence).collect();
    assert_eq!(indexed(stream, &entries).await, wanted);
    assert_eq!(indexed(stream, &[]).await, Vec::<bool>::new());
    let line = entries[0];
    let others = [
        IndexEntry { organisation: None, ..line },
        IndexEntry { term: Term::status(500, false), ..line },
        IndexEntry { at: build::at(99), ..line },
        IndexEntry { event: EventId::new(build::uuid()), ..line },
        IndexEntry { sequence: line.sequence + 1, ..line },
        line,
    ];
    assert_eq!(indexed(stream, &others).await, [false, false, false, false, false, true]);
    assert_eq!(indexed(StreamId::new(build::uuid()), &[line]).await, [false]);
}

/// Pages of every size give all lines of every log once, in order, each with the record that it leads to.
pub async fn index_lines_page_by_their_order(store: Store) {
    assert_eq!(store.audit.index_lines(None, 9).await.expect("readable"), []);
    let (ours, theirs) = (organisation(), organisation());
    let records = [ours, None, theirs, ours].map(|of| record(of, Action::SecretRead, 1));
    let later = [ours, theirs].map(|of| record(of, Action::SecretDelete, 2));
    let logged = indexed_records(&store, [&records[..], &later].concat()).await;
    let lines = logged.iter().flat_map(|chained| {
        let stored = |entry| StoredLine { entry, canonical: Some(chained.canonical.clone()) };
        IndexEntry::of(&chained.record, chained.sequence).into_iter().map(stored)
    });
    let mut wanted: Vec<StoredLine> = lines.collect();
    wanted.sort_unstable_by_key(|line| line.entry);
    assert!(wanted.len() > 30 && wanted.iter().all(StoredLine::is_of_its_record));
    for size in [1, 2, 7, 1_000] {
        let mut pages: Vec<StoredLine> = Vec::new();
        loop {
            let after = pages.last().map(|last| last.entry);
            let page = store.audit.index_lines(after.as_ref(), size).await.expect("readable");
            assert!(page.len() <= size as usize && pages.len() <= wanted.len());
            if page.is_empty() {
                break;
            }
            pages.extend(page);
        }
        assert_eq!(pages, wanted, "by {size}");
    }
    // One that the record does not give, one that leads to another record, and one that leads to none.
    let entry = wanted[0].entry;
    let others = [
        IndexEntry { term: Term::status(500, false), ..entry },
        IndexEntry { at: build::at(3), sequence: logged[4].sequence, ..entry },
        IndexEntry { at: build::at(4), sequence: logged[5].sequence + 1, ..entry },
    ];
    let change =
        Change::IndexRecords { stream: logged[0].stream, through: logged[5].sequence, entries: others.to_vec() };
    store.commit(units::silent(vec![change])).await;
    let mut found = store.audit.index_lines(None, 1_000).await.expect("readable");
    assert_eq!(found.len(), wanted.len() + others.len());
    found.retain(|line| !line.is_of_its_record());
    found.sort_unstable_by_key(|line| line.entry.at);
    let canonical = |at: usize| Some(logged[at].canonical.clone());
    let leads_to = wanted[0].canonical.clone();
    let stored = [(others[0], leads_to), (others[1], canonical(4)), (others[2], None)];
    assert_eq!(found, stored.map(|(entry, canonical)| StoredLine { entry, canonical }));
}
