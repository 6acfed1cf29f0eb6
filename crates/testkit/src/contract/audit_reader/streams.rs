use super::fill;
use crate::contract::Store;
use crate::{build, units};
use strongroom_domain::audit::{Action, Behind, ChainedRecord, Link, LogReader, Signature, SinkName};
use strongroom_domain::id::StreamId;

/// Each reader has its own position in each stream; a stream is named while there are records behind that.
pub async fn behind_tells_each_reader_apart(store: Store) {
    let sink = |name| LogReader::Sink(SinkName::new(name).expect("a name"));
    let readers = [LogReader::Index, LogReader::Checkpoints, LogReader::Retention, sink("index"), sink("b")];
    for reader in &readers {
        assert_eq!(store.behind(reader).await, []);
    }
    fill(&store).await;
    let streams = store.streams().await;
    let ends = streams.iter().filter_map(|records| records.last());
    let all: Vec<Behind> = ends.map(|last| Behind { stream: last.stream, through: 0, end: last.sequence }).collect();
    let longest = *all.iter().max_by_key(|behind| behind.end).expect("a stream");
    for (place, reader) in readers.iter().enumerate() {
        for reader in &readers[place..] {
            assert_eq!(store.behind(reader).await, all);
        }
        let advance = |through| store.commit(units::silent(vec![units::advance(reader, longest.stream, through)]));
        let partly = |through| {
            let moved = |behind: &Behind| match behind.stream == longest.stream {
                true => Behind { through, ..*behind },
                false => *behind,
            };
            all.iter().map(moved).filter(|behind| behind.through < behind.end).collect::<Vec<_>>()
        };
        for through in 1..=longest.end {
            advance(through).await;
            assert_eq!(store.behind(reader).await, partly(through));
        }
    }
    // What comes later is behind all of them again, in whatever stream it is.
    let more = store.log(vec![build::record(Action::SecretRead)]).await;
    for reader in &readers {
        let behind = store.behind(reader).await;
        let found = behind.iter().find(|behind| behind.stream == more[0].stream).expect("a stream");
        assert_eq!(found.end, more[0].sequence);
    }
}

/// Pages of every size together give all streams, in the order in which they began.
pub async fn behind_pages_in_the_order_of_streams(store: Store) {
    fill(&store).await;
    let whole = store.behind(&LogReader::Index).await;
    let order: Vec<StreamId> = store.audit.streams().await.expect("readable");
    let place = |behind: &Behind| order.iter().position(|stream| *stream == behind.stream);
    assert!(!whole.is_empty() && whole.is_sorted_by_key(place));
    for size in [1, 2] {
        let mut pages: Vec<Behind> = Vec::new();
        loop {
            let after = pages.last().map(|behind| behind.stream);
            let page = store.audit.behind(&LogReader::Index, after, size).await.expect("readable");
            assert!(page.len() <= size as usize && pages.len() <= whole.len());
            if page.is_empty() {
                break;
            }
            pages.extend(page);
        }
        assert_eq!(pages, whole);
    }
    assert_eq!(store.audit.behind(&LogReader::Index, None, 0).await.expect("readable"), []);
}

/// Records come at the places that were asked for, as often as they were; where there is none, none comes.
pub async fn at_keeps_the_order_that_was_asked_for(store: Store) {
    assert_eq!(store.audit.at(&[]).await.expect("readable"), []);
    fill(&store).await;
    let records: Vec<ChainedRecord> = store.streams().await.into_iter().flatten().collect();
    let mut places = Vec::new();
    let mut wanted = Vec::new();
    for record in records.iter().rev().chain(&records[..2]) {
        places.push((record.stream, record.sequence));
        wanted.push(Some(record.clone()));
        places.push((record.stream, record.sequence + 1_000));
        wanted.push(None);
    }
    places.extend([(StreamId::new(build::uuid()), 1), (records[0].stream, 0)]);
    wanted.extend([None, None]);
    assert_eq!(store.audit.at(&places).await.expect("readable"), wanted);
}

fn link(chained: &ChainedRecord) -> Link {
    Link {
        sequence: chained.sequence,
        hash: chained.hash.to_vec(),
        signature: chained.signature.map(|Signature { key_version, bytes }| (key_version, bytes.to_vec())),
        canonical: chained.canonical.clone(),
        differing: None,
    }
}

/// Links are the records as they were stored, page by page, and nothing differs, whether a field is filled or not.
pub async fn links_show_what_is_stored(store: Store) {
    fill(&store).await;
    let full = build::record(Action::KmsSign);
    let bare = strongroom_domain::audit::AuditRecord {
        organisation: None,
        region: None,
        principal: None,
        credential: None,
        resource: None,
        decided_by: None,
        request: None,
        details: None,
        ..build::record(Action::AuthFailure)
    };
    let mut odd = full.clone();
    odd.event = bare.event;
    odd.project = Some(strongroom_domain::id::ProjectId::new(build::uuid()));
    odd.principal = Some(strongroom_domain::principal::Principal::Operator(strongroom_domain::id::CredentialId::new(
        build::uuid(),
    )));
    if let Some(resource) = &mut odd.resource {
        resource.identity = "/it's\0\u{ff}".to_owned();
        resource.version = None;
    }
    store.log(vec![full, bare, odd]).await;
    for records in store.streams().await {
        let Some(first) = records.first() else { continue };
        let wanted: Vec<Link> = records.iter().map(link).collect();
        for size in [1, 3, 1_000] {
            let mut pages: Vec<Link> = Vec::new();
            loop {
                let after = pages.last().map_or(0, |link| link.sequence);
                let page = store.audit.links(first.stream, after, size).await.expect("readable");
                assert!(page.len() <= size as usize && pages.len() <= wanted.len());
                if page.is_empty() {
                    break;
                }
                pages.extend(page);
            }
            assert_eq!(pages, wanted);
        }
    }
    assert_eq!(store.audit.links(StreamId::new(build::uuid()), 0, 9).await.expect("readable"), []);
}
