use crate::contract::Store;
use crate::{build, units};
use strongroom_domain::audit::{Action, AuditRecord, ChainState, ChainedRecord, IndexEntry, LogReader, Outcome, Term};
use strongroom_domain::id::{OrganisationId, SecretId, StreamId};
use strongroom_domain::port::{StoredCheckpoint, Window};
use strongroom_domain::unit::{AggregateId, Change, Expect, Revision};

const READERS: [LogReader; 3] = [LogReader::Index, LogReader::Checkpoints, LogReader::Retention];

/// Logs so many records of one organisation.
async fn records(store: &Store, organisation: OrganisationId, count: i64) -> Vec<ChainedRecord> {
    let record = |second| AuditRecord {
        organisation: Some(organisation),
        at: build::at(second),
        ..build::record(Action::SecretRead)
    };
    store.log((1..=count).map(record).collect()).await
}

fn organisation() -> OrganisationId {
    OrganisationId::new(build::uuid())
}

/// How far a reader is with a stream that has more behind that.
async fn through(store: &Store, reader: &LogReader, stream: StreamId) -> Option<u64> {
    let behind = store.behind(reader).await;
    behind.iter().find(|behind| behind.stream == stream).map(|behind| behind.through)
}

async fn sequences(store: &Store, organisation: OrganisationId) -> Vec<u64> {
    let found = store.audit.find(Some(organisation), Term::any(false), Window::ALL, 1_000).await.expect("readable");
    found.into_iter().map(|(entry, _)| entry.sequence).collect()
}

/// A line that is there stays as it is, and the index never goes back.
pub async fn index_records_leaves_lines_that_are_there(store: Store) {
    let ours = organisation();
    let logged = records(&store, ours, 4).await;
    let (stream, first) = (logged[0].stream, logged[0].sequence);
    store.commit(units::silent(vec![units::index(&logged[..2])])).await;
    assert_eq!(through(&store, &LogReader::Index, stream).await, Some(first + 1));
    let mut entries = IndexEntry::of(&logged[0].record, first + 3);
    entries.extend(IndexEntry::of(&logged[2].record, first + 2));
    store.commit(units::silent(vec![Change::IndexRecords { stream, through: first + 2, entries }])).await;
    assert_eq!(sequences(&store, ours).await, [first + 2, first + 1, first]);
    assert_eq!(through(&store, &LogReader::Index, stream).await, Some(first + 2));
    store.commit(units::silent(vec![units::index(&logged[..2])])).await;
    assert_eq!(sequences(&store, ours).await, [first + 2, first + 1, first]);
    assert_eq!(through(&store, &LogReader::Index, stream).await, Some(first + 2));
    // More lines than a statement takes are as good.
    let many = records(&store, ours, 700).await;
    store.commit(units::silent(vec![units::index(&many)])).await;
    assert_eq!(sequences(&store, ours).await.len(), 703);
}

/// Records that were removed are not in their stream, nor in the index, nor found by their requests; others are.
pub async fn remove_records_leaves_nothing_of_them(store: Store) {
    let ours = organisation();
    let denied =
        AuditRecord { outcome: Outcome::Denied, organisation: Some(ours), ..build::record(Action::SecretRead) };
    let request = denied.request.as_ref().map(|request| request.id).expect("a request");
    let record =
        |second| AuditRecord { organisation: Some(ours), at: build::at(second), ..build::record(Action::SecretRead) };
    let logged = store.log([vec![denied.clone()], (1..=5).map(record).collect()].concat()).await;
    assert_eq!(store.audit.denied(request, ours).await.expect("readable"), Some(denied));
    let (stream, first) = (logged[0].stream, logged[0].sequence);
    store.commit(units::silent(vec![units::index(&logged)])).await;
    let lines = store.audit.index_lines(None, 1_000).await.expect("readable").len();
    assert_eq!(through(&store, &LogReader::Retention, stream).await, Some(0));

    store.commit(units::silent(vec![units::remove_records(&logged[..2])])).await;
    let kept = &logged[2..];
    assert_eq!(store.audit.records(stream, 0, 100).await.expect("readable"), kept);
    let links = store.audit.links(stream, 0, 100).await.expect("readable");
    assert_eq!(links.first().map(|link| link.sequence), Some(first + 2));
    let places: Vec<_> = logged.iter().map(|chained| (chained.stream, chained.sequence)).collect();
    let at = store.audit.at(&places).await.expect("readable");
    assert_eq!(at.iter().map(Option::is_some).collect::<Vec<_>>(), [false, false, true, true, true, true]);
    let wanted: Vec<u64> = kept.iter().rev().map(|chained| chained.sequence).collect();
    assert_eq!(sequences(&store, ours).await, wanted);
    let removed: usize = logged[..2].iter().map(|chained| Term::of(&chained.record).len()).sum();
    assert_eq!(store.audit.index_lines(None, 1_000).await.expect("readable").len(), lines - removed);
    assert_eq!(through(&store, &LogReader::Retention, stream).await, Some(first + 1));
    assert_eq!(store.audit.denied(request, ours).await.expect("readable"), None);
    // Again, and with fewer: nothing more goes.
    for count in [2, 1] {
        store.commit(units::silent(vec![units::remove_records(&logged[..count])])).await;
        assert_eq!(store.audit.records(stream, 0, 100).await.expect("readable"), kept);
        assert_eq!(through(&store, &LogReader::Retention, stream).await, Some(first + 1));
    }
}

/// The last record of a stream is never removed, nor are its lines: what comes after it is chained to it.
pub async fn remove_records_leaves_the_last(store: Store) {
    let ours = organisation();
    let logged = records(&store, ours, 3).await;
    let (stream, last) = (logged[0].stream, &logged[2]);
    store.commit(units::silent(vec![units::index(&logged), units::remove_records(&logged)])).await;
    assert_eq!(store.audit.records(stream, 0, 9).await.expect("readable"), std::slice::from_ref(last));
    assert_eq!(sequences(&store, ours).await, [last.sequence]);
    assert_eq!(through(&store, &LogReader::Retention, stream).await, Some(last.sequence - 1));
    store.commit(units::silent(vec![units::remove_records(&logged)])).await;
    assert_eq!(store.audit.records(stream, 0, 9).await.expect("readable"), std::slice::from_ref(last));
}

/// What is written after records were removed is chained to what was there.
pub async fn a_stream_goes_on_after_its_records_were_removed(store: Store) {
    let logged = records(&store, organisation(), 3).await;
    store.commit(units::silent(vec![units::index(&logged), units::remove_records(&logged[..2])])).await;
    for _ in 0..8 {
        store.log(vec![build::record(Action::SecretRead)]).await;
    }
    let before = &logged[1];
    let mut state = ChainState { stream: before.stream, sequence: before.sequence, hash: before.hash };
    let rest = store.audit.records(before.stream, 0, 100).await.expect("readable");
    assert_eq!(rest.first(), Some(&logged[2]));
    for chained in &rest {
        state = state.after(&chained.canonical);
        assert_eq!((chained.sequence, chained.hash), (state.sequence, state.hash));
    }
}

/// A checkpoint is read back as it was signed.
pub async fn add_checkpoint_keeps_every_byte(store: Store) {
    let logged = records(&store, organisation(), 2).await;
    let state =
        |chained: &ChainedRecord| ChainState { stream: chained.stream, sequence: chained.sequence, hash: chained.hash };
    let mut signed = build::checkpoint(1, vec![state(&logged[1])]);
    signed.checkpoint.begins = vec![state(&logged[0])];
    signed.checkpoint.keys = vec![strongroom_domain::audit::AuditKey { version: 2, public: [9; 32] }];
    signed.signature.key_version = u32::MAX;
    store.commit(units::silent(vec![Change::AddCheckpoint(signed.clone())])).await;
    let stored = store.audit.last_checkpoint().await.expect("readable").expect("a checkpoint");
    assert_eq!(stored, StoredCheckpoint::from(&signed));
    assert_eq!(stored.read(), Some(signed));
}

/// The checkpoints' reader is where the last checkpoint of each stream says, and goes back for none.
pub async fn add_checkpoint_notes_the_ends(store: Store) {
    let logged = records(&store, organisation(), 3).await;
    let stream = logged[0].stream;
    let state = |place: usize| ChainState { stream, sequence: logged[place].sequence, hash: logged[place].hash };
    let unknown = ChainState::begin(StreamId::new(build::uuid()));
    for (number, place, wanted) in [(1, 1, 1), (2, 0, 1)] {
        let signed = build::checkpoint(number, vec![unknown, state(place)]);
        store.commit(units::silent(vec![Change::AddCheckpoint(signed)])).await;
        assert_eq!(through(&store, &LogReader::Checkpoints, stream).await, Some(logged[wanted].sequence));
        assert_eq!(through(&store, &LogReader::Index, stream).await, Some(0));
    }
    store.commit(units::silent(vec![Change::AddCheckpoint(build::checkpoint(3, vec![state(2)]))])).await;
    assert_eq!(through(&store, &LogReader::Checkpoints, stream).await, None);
}

/// A reader's position only rises.
pub async fn a_reader_never_goes_back(store: Store) {
    let logged = records(&store, organisation(), 4).await;
    let stream = logged[0].stream;
    let reader = LogReader::Sink(strongroom_domain::audit::SinkName::new("a").expect("a name"));
    for (to, wanted) in [(2, 2), (1, 2), (0, 2), (3, 3), (2, 3)] {
        store.commit(units::silent(vec![units::advance(&reader, stream, to)])).await;
        assert_eq!(through(&store, &reader, stream).await, Some(wanted));
    }
    let both = vec![units::advance(&reader, stream, 4), units::advance(&reader, stream, 1)];
    store.commit(units::silent(both)).await;
    assert_eq!((through(&store, &reader, stream).await, logged[3].sequence), (None, 4));
}

/// A position behind the last record is nobody's: the reader begins anew, and goes on from there. That of checkpoints stays, and shows.
pub async fn a_position_behind_the_last_record_tells_of_nothing(store: Store) {
    let logged = records(&store, organisation(), 4).await;
    let (stream, last) = (logged[0].stream, logged[3].sequence);
    let sink = LogReader::Sink(strongroom_domain::audit::SinkName::new("a").expect("a name"));
    for reader in READERS.iter().chain([&sink]) {
        for beyond in [last + 1, 1_000_000_000_000] {
            store.commit(units::silent(vec![units::advance(reader, stream, beyond)])).await;
            let shown = if *reader == LogReader::Checkpoints { beyond } else { 0 };
            assert_eq!(through(&store, reader, stream).await, Some(shown), "{reader:?}");
        }
        if *reader == LogReader::Checkpoints {
            continue;
        }
        for (to, wanted) in [(2, 2), (1, 2), (3, 3)] {
            store.commit(units::silent(vec![units::advance(reader, stream, to)])).await;
            assert_eq!(through(&store, reader, stream).await, Some(wanted), "{reader:?}");
        }
        store.commit(units::silent(vec![units::advance(reader, stream, last + 1)])).await;
    }
    let ends = vec![ChainState { stream, sequence: logged[1].sequence, hash: logged[1].hash }];
    let changes = vec![
        Change::AddCheckpoint(build::checkpoint(1, ends)),
        units::index(&logged[..2]),
        units::remove_records(&logged[..2]),
    ];
    store.commit(units::silent(changes)).await;
    for reader in READERS.iter().filter(|reader| **reader != LogReader::Checkpoints) {
        assert_eq!(through(&store, reader, stream).await, Some(logged[1].sequence), "{reader:?}");
    }
    store.commit(units::silent(vec![units::advance(&sink, stream, last)])).await;
    assert_eq!(through(&store, &sink, stream).await, None);
}

/// A stream that isn't there gets neither lines nor a position.
pub async fn changes_of_an_unknown_stream_leave_nothing(store: Store) {
    let logged = records(&store, organisation(), 2).await;
    let stream = StreamId::new(build::uuid());
    let elsewhere: Vec<ChainedRecord> =
        logged.iter().map(|chained| ChainedRecord { stream, ..chained.clone() }).collect();
    let mut changes = vec![units::index(&elsewhere), units::remove_records(&elsewhere[..1])];
    changes.extend(READERS.iter().map(|reader| units::advance(reader, stream, 1)));
    store.commit(units::silent(changes)).await;
    assert_eq!(store.audit.index_lines(None, 9).await.expect("readable"), []);
    assert_eq!(store.audit.records(logged[0].stream, 0, 9).await.expect("readable"), logged);
    for reader in &READERS {
        assert_eq!(through(&store, reader, logged[0].stream).await, Some(0));
    }
}

/// When a later change of the unit is refused, the log, its index, its checkpoints and its readers are as they were.
pub async fn a_change_that_does_not_fit_undoes_changes_of_the_log(store: Store) {
    let ours = organisation();
    let logged = records(&store, ours, 4).await;
    let stream = logged[0].stream;
    store.commit(units::silent(vec![units::index(&logged[..2])])).await;
    let missing = SecretId::new(build::uuid());
    let end = ChainState { stream, sequence: logged[2].sequence, hash: logged[2].hash };
    let changes = vec![
        units::index(&logged),
        units::remove_records(&logged[..2]),
        Change::AddCheckpoint(build::checkpoint(1, vec![end])),
        Change::DeleteSecret { secret: missing },
    ];
    let refused = Expect::Revision(AggregateId::Secret(missing), Revision::FIRST);
    store.conflicts(units::silent(changes), &refused).await;
    assert_eq!(store.audit.records(stream, 0, 9).await.expect("readable"), logged);
    assert_eq!(sequences(&store, ours).await, [logged[1].sequence, logged[0].sequence]);
    assert_eq!(store.audit.last_checkpoint().await.expect("readable"), None);
    for (reader, wanted) in READERS.iter().zip([logged[1].sequence, 0, 0]) {
        assert_eq!(through(&store, reader, stream).await, Some(wanted));
    }
}
