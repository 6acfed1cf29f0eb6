//! Random histories, verified as they are and after somebody tampered with them.

mod checkpoints;
mod records;
mod removals;

use super::{Finding, FindingKind, Ledger, StreamCheck, check_anchor};
use crate::audit::{Action, AuditKey, AuditRecord, ChainState, Checkpoint, Link, Outcome, Signature, SignedCheckpoint};
use crate::id::{EventId, StreamId};
use crate::port::{SignatureVerifier, StoredCheckpoint};
use crate::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::Index;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A signature that anybody could make, if they thought of it.
fn sign(public: &[u8; 32], bytes: &[u8]) -> [u8; 64] {
    let half: [u8; 32] = Sha256::new().chain_update(public).chain_update(bytes).finalize().into();
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&half);
    signature[32..].copy_from_slice(&half);
    signature
}

struct Signs;

impl SignatureVerifier for Signs {
    fn verify(&self, public: &[u8; 32], bytes: &[u8], signature: &[u8; 64]) -> bool {
        sign(public, bytes) == *signature
    }
}

fn public(version: u32) -> [u8; 32] {
    Sha256::digest(version.to_be_bytes()).into()
}

fn stream(number: usize) -> StreamId {
    StreamId::new(Uuid::from_u128(number as u128 + 1))
}

#[derive(Clone, Default)]
struct Log {
    streams: BTreeMap<StreamId, Vec<Link>>,
    checkpoints: Vec<StoredCheckpoint>,
    /// What the writers know.
    states: BTreeMap<StreamId, ChainState>,
    told: BTreeMap<StreamId, u64>,
    newest_key: u32,
    events: u64,
}

#[derive(Clone, Debug)]
enum Step {
    Commit {
        stream: usize,
        records: usize,
    },
    Checkpoint,
    Rotate,
    /// Announces that records go, after those that were announced before are gone, and removes them or not yet.
    Retain {
        stream: usize,
        through: Index,
        is_gone: bool,
    },
}

impl Log {
    fn record(&mut self) -> Vec<u8> {
        self.events += 1;
        let record = AuditRecord {
            event: EventId::new(Uuid::from_u128(u128::from(self.events))),
            at: Timestamp::from_micros(self.events.cast_signed()),
            action: Action::SecretRead,
            outcome: Outcome::Success,
            status: 200,
            organisation: None,
            region: None,
            project: None,
            principal: None,
            credential: None,
            resource: None,
            decided_by: None,
            request: None,
            details: None,
        };
        record.to_canonical()
    }

    fn commit(&mut self, stream: StreamId, records: usize) {
        let mut state = self.states.get(&stream).copied().unwrap_or_else(|| ChainState::begin(stream));
        let version = self.newest_key.max(1);
        for left in (0..records).rev() {
            let canonical = self.record();
            state = state.after(&canonical);
            let signature = (left == 0).then(|| (version, sign(&public(version), &state.signed_bytes()).to_vec()));
            let link =
                Link { sequence: state.sequence, hash: state.hash.to_vec(), signature, canonical, differing: None };
            self.streams.entry(stream).or_default().push(link);
        }
        self.states.insert(stream, state);
    }

    fn checkpoint(&mut self, rotate: bool, begins: Vec<ChainState>) {
        let is_first = self.newest_key == 0;
        let moved = |state: &&ChainState| self.told.get(&state.stream).copied().unwrap_or(0) < state.sequence;
        let ends: Vec<_> = self.states.values().filter(moved).copied().collect();
        let version = self.newest_key.max(1);
        let newest_key = version + u32::from(rotate && !is_first);
        let made_known = if is_first || rotate { vec![newest_key] } else { vec![] };
        let last = self.checkpoints.last().and_then(StoredCheckpoint::read);
        let checkpoint = Checkpoint {
            number: self.checkpoints.len() as u64 + 1,
            at: Timestamp::from_micros(1),
            previous: last.map_or([0; 32], |last| last.checkpoint.hash()),
            keys: made_known.into_iter().map(|version| AuditKey { version, public: public(version) }).collect(),
            newest_key,
            begins,
            ends: ends.clone(),
        };
        self.told.extend(ends.iter().map(|end| (end.stream, end.sequence)));
        self.newest_key = newest_key;
        self.add(checkpoint, version);
    }

    fn add(&mut self, checkpoint: Checkpoint, key_version: u32) {
        let bytes = sign(&public(key_version), &checkpoint.signed_bytes());
        let signature = Signature { key_version, bytes };
        self.checkpoints.push(StoredCheckpoint::from(&SignedCheckpoint { checkpoint, signature }));
    }

    fn of(steps: &[Step]) -> Self {
        let mut log = Self::default();
        log.commit(stream(0), 2);
        for step in steps {
            match step {
                Step::Commit { stream: number, records } => log.commit(stream(*number), *records),
                Step::Checkpoint => log.checkpoint(false, Vec::new()),
                Step::Rotate => log.checkpoint(true, Vec::new()),
                Step::Retain { stream: number, through, is_gone } => log.retain(stream(*number), *through, *is_gone),
            }
        }
        log.checkpoint(false, Vec::new());
        log
    }

    fn retain(&mut self, stream: StreamId, through: Index, is_gone: bool) {
        let begin = self.ledger().begin_of(stream).map_or(0, |begin| begin.sequence);
        let Some(links) = self.streams.get_mut(&stream) else { return };
        links.retain(|link| link.sequence > begin);
        if links.is_empty() {
            return;
        }
        let Link { sequence, hash, .. } = links[through.index(links.len())].clone();
        if is_gone {
            links.retain(|link| link.sequence > sequence);
        }
        let hash = hash.try_into().expect("32 bytes");
        self.checkpoint(false, vec![ChainState { stream, sequence, hash }]);
    }

    fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::trusting(public(1));
        for checkpoint in &self.checkpoints {
            ledger.take(checkpoint, &Signs);
        }
        ledger
    }

    /// Of stream 7, which has five records or more: those up to the third are announced to go, as were those up to the first.
    fn going(steps: &[Step], is_gone: bool) -> (Self, StreamId, u64) {
        let mut log = Self::of(steps);
        let stream = stream(7);
        for sequence in [1, 3] {
            let links = log.streams.get_mut(&stream).expect("there");
            let state = |link: &Link| ChainState { stream, sequence, hash: link.hash.clone().try_into().expect("32") };
            let begin = state(links.iter().find(|link| link.sequence == sequence).expect("there"));
            if sequence == 3 {
                links.retain(|link| link.sequence > 1);
            }
            log.checkpoint(false, vec![begin]);
        }
        if is_gone {
            log.streams.get_mut(&stream).expect("there").retain(|link| link.sequence > 3);
        }
        (log, stream, 3)
    }

    fn verify(&self) -> Vec<Finding> {
        let mut ledger = Ledger::trusting(public(1));
        let mut findings: Vec<_> =
            self.checkpoints.iter().filter_map(|checkpoint| ledger.take(checkpoint, &Signs).1).collect();
        for (stream, links) in &self.streams {
            if links.is_empty() {
                continue;
            }
            let mut check = StreamCheck::begin(*stream);
            findings.extend(links.iter().filter_map(|link| check.take(link, &ledger, &Signs)));
            findings.extend(check.end(&ledger));
        }
        let is_gone = |stream: &StreamId| self.streams.get(stream).is_none_or(Vec::is_empty);
        findings.extend(
            ledger.streams().filter(is_gone).map(|stream| Finding::of_stream(FindingKind::StreamMissing, stream)),
        );
        findings
    }

    /// A stream with records, and one of them.
    fn pick(&self, which: &Index, record: &Index) -> (StreamId, usize) {
        let streams: Vec<_> = self.streams.iter().filter(|(_, links)| !links.is_empty()).collect();
        let (stream, links) = streams[which.index(streams.len())];
        (*stream, record.index(links.len()))
    }
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..4_usize, 1..5_usize).prop_map(|(stream, records)| Step::Commit { stream, records }),
        2 => Just(Step::Checkpoint),
        1 => Just(Step::Rotate),
        1 => (0..4_usize, any::<Index>(), any::<bool>())
            .prop_map(|(stream, through, is_gone)| Step::Retain { stream, through, is_gone }),
    ];
    prop::collection::vec(step, 0..40).prop_map(|mut steps| {
        // Something is left to be tampered with.
        steps.push(Step::Commit { stream: 7, records: 3 });
        steps.push(Step::Commit { stream: 7, records: 2 });
        steps
    })
}

/// Of a record that has not been announced to go.
fn stays(log: &Log, stream: StreamId, place: usize) -> bool {
    log.ledger().begin_of(stream).is_none_or(|begin| log.streams[&stream][place].sequence > begin.sequence)
}

proptest! {
    #[test]
    fn what_nobody_tampered_with_verifies(steps in history()) {
        let log = Log::of(&steps);
        prop_assert_eq!(log.verify(), []);
        let anchor = log.checkpoints.last().expect("there");
        prop_assert_eq!(check_anchor(anchor, Some(anchor)), None);
    }
}

#[test]
fn a_finding_says_where_and_what() {
    let finding = Finding::at_record(FindingKind::RecordMissing, stream(0), 7);
    assert_eq!(finding.to_string(), format!("stream {}, record 7: records are missing from here on", stream(0)));
    let finding = Finding { part: Some("status"), ..Finding::at_checkpoint(FindingKind::ColumnDiffers, 3) };
    assert_eq!(finding.to_string(), "checkpoint 3: a column says something else than the signed record (status)");
    let names: std::collections::BTreeSet<_> = FindingKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(names.len(), FindingKind::ALL.len());
}
