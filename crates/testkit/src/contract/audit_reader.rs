//! Cases for [`AuditReader`](strongroom_domain::port::AuditReader).

mod checkpoints;
mod index;
mod streams;

pub use checkpoints::*;
pub use index::*;
pub use streams::*;

use super::{Store, eventually};
use crate::{build, units};
use std::collections::BTreeSet;
use strongroom_domain::audit::{Action, AuditRecord, ChainState, ChainedRecord, Outcome, RequestInfo};
use strongroom_domain::id::{OrganisationId, RequestId, StreamId};

/// Fills the log with commits of every kind, 2 + 3 × 3 records.
async fn fill(store: &Store) -> usize {
    let secret = store.insert(build::secret(build::scope(), "/a")).await;
    let key = build::key(secret.scope, "k");
    store.commit(units::insert_key(&key)).await;
    for second in 0..3 {
        store.access.record(build::access(&secret, 1, build::at(second))).await.expect("recorded");
        store.audit_log.enqueue(build::record(Action::SecretRead)).await.expect("queued");
    }
    eventually(&11, async || store.records().await.len()).await;
    11
}

/// Sequences are 1, 2, 3, … in each stream, and every hash follows from the one before and the record's canonical bytes.
pub async fn the_chain_has_no_gap(store: Store) {
    fill(&store).await;
    let mut ids = BTreeSet::new();
    for records in store.streams().await {
        let Some(first) = records.first() else { continue };
        assert!(ids.insert(first.stream), "a stream is named once");
        let mut chain = ChainState::begin(first.stream);
        for record in &records {
            chain = chain.after(&record.canonical);
            assert_eq!((record.stream, record.sequence, record.hash), (chain.stream, chain.sequence, chain.hash));
            assert_eq!(record.record.to_canonical(), record.canonical);
        }
    }
}

/// The last record of every stream is signed, and every signature is the signer's, over stream, sequence and hash.
pub async fn the_last_record_is_signed(store: Store) {
    fill(&store).await;
    let mut signed = 0;
    for records in store.streams().await {
        assert!(records.last().is_none_or(|record| record.signature.is_some()));
        for record in records {
            let Some(signature) = record.signature else { continue };
            let bytes = strongroom_domain::audit::signed_bytes(record.stream, record.sequence, &record.hash);
            assert!((store.verify)(&bytes, &signature), "sequence {}", record.sequence);
            assert!(!(store.verify)(b"another", &signature), "the verifier refuses something");
            signed += 1;
        }
    }
    assert!(signed > 0);
}

/// Pages of every size together give the whole stream.
pub async fn records_page_by_sequence(store: Store) {
    let count = fill(&store).await;
    let mut total = 0;
    for stream in store.audit.streams().await.expect("readable") {
        let page = async |after, limit| store.audit.records(stream, after, limit).await.expect("readable");
        let whole: Vec<ChainedRecord> = page(0, 1_000).await;
        total += whole.len();
        for size in [1, 2, 5] {
            let mut pages = Vec::new();
            while let records @ [_, ..] = &page(pages.len() as u64, size).await[..] {
                assert!(records.len() <= size as usize);
                pages.extend_from_slice(records);
                assert!(pages.len() <= whole.len(), "pages lead on and on");
            }
            assert_eq!(pages, whole);
        }
        assert_eq!(page(0, 0).await, []);
        assert_eq!(page(u64::MAX / 2, 9).await, []);
    }
    assert_eq!(total, count);
}

/// An unknown stream has no records.
pub async fn an_unknown_stream_is_empty(store: Store) {
    fill(&store).await;
    assert_eq!(store.audit.records(StreamId::new(build::uuid()), 0, 9).await.expect("readable"), []);
}

/// A denial in this request, in this organisation.
fn denial(request: RequestId, organisation: OrganisationId, second: i64) -> AuditRecord {
    AuditRecord {
        at: build::at(second),
        outcome: Outcome::Denied,
        status: 403,
        organisation: Some(organisation),
        request: Some(RequestInfo::embedded(request).into()),
        ..build::record(Action::SecretValueRead)
    }
}

/// Of a request's denials in an organisation the newest is found, by time and then by what was written later; nothing else is.
pub async fn the_newest_denial_of_a_request_is_found(store: Store) {
    let (request, ours, theirs) =
        (RequestId::new(build::uuid()), OrganisationId::new(build::uuid()), OrganisationId::new(build::uuid()));
    let newest = denial(request, ours, 7);
    let records = [
        denial(request, ours, 5),
        denial(request, ours, 7),
        newest.clone(),
        denial(request, ours, 6),
        AuditRecord { outcome: Outcome::Success, ..denial(request, ours, 8) },
        AuditRecord { outcome: Outcome::Failure, ..denial(request, ours, 8) },
        AuditRecord { organisation: None, ..denial(request, ours, 8) },
        AuditRecord { request: None, ..denial(request, ours, 8) },
        denial(request, theirs, 9),
        denial(RequestId::new(build::uuid()), ours, 9),
    ];
    for record in &records {
        store.audit_log.enqueue(record.clone()).await.expect("queued");
    }
    eventually(&records.len(), async || store.records().await.len()).await;
    let denied = async |request, organisation| store.audit.denied(request, organisation).await.expect("readable");
    assert_eq!(denied(request, ours).await, Some(newest));
    assert_eq!(denied(request, theirs).await, Some(records[8].clone()));
    assert_eq!(denied(RequestId::new(build::uuid()), ours).await, None);
    assert_eq!(denied(request, OrganisationId::new(build::uuid())).await, None);
}
