//! Random histories, verified as they are and after somebody tampered with them.

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

    #[test]
    fn a_changed_record_is_named(steps in history(), which: Index, record: Index, byte: Index, of_hash: bool, bit in 0_u8..8) {
        let mut log = Log::of(&steps);
        let (stream, place) = log.pick(&which, &record);
        let link = &mut log.streams.get_mut(&stream).expect("there")[place];
        let bytes = if of_hash { &mut link.hash } else { &mut link.canonical };
        let byte = byte.index(bytes.len());
        bytes[byte] ^= 1 << bit;
        let wanted = Finding::at_record(FindingKind::RecordChanged, stream, link.sequence);
        prop_assert_eq!(log.verify().first().copied(), Some(wanted));
    }

    #[test]
    fn a_column_that_differs_is_named(steps in history(), which: Index, record: Index) {
        let mut log = Log::of(&steps);
        let (stream, place) = log.pick(&which, &record);
        let link = &mut log.streams.get_mut(&stream).expect("there")[place];
        link.differing = Some("status");
        let wanted =
            Finding { part: Some("status"), ..Finding::at_record(FindingKind::ColumnDiffers, stream, link.sequence) };
        prop_assert_eq!(log.verify(), [wanted]);
    }

    /// Somebody who hashes all that follows anew lacks the key: the next signature tells.
    #[test]
    fn a_rewritten_tail_is_told_at_the_next_signature(steps in history(), which: Index, record: Index) {
        let mut log = Log::of(&steps);
        let (stream, place) = log.pick(&which, &record);
        prop_assume!(stays(&log, stream, place));
        let other = log.record();
        let links = log.streams.get_mut(&stream).expect("there");
        // The hash before is known of a first record too, by what checkpoints announce.
        let mut state = ChainState::begin(stream);
        if place > 0 {
            let before = &links[place - 1];
            state = ChainState { stream, sequence: before.sequence, hash: before.hash.clone().try_into().expect("32") };
        } else {
            prop_assume!(links[0].sequence == 1);
        }
        links[place].canonical = other;
        for link in &mut links[place..] {
            state = state.after(&link.canonical);
            link.hash = state.hash.to_vec();
        }
        let signed = links[place..].iter().find(|link| link.signature.is_some()).expect("the last").sequence;
        let findings = log.verify();
        let first = findings.first().expect("found");
        prop_assert_eq!((first.stream, first.sequence), (Some(stream), Some(signed)));
    }

    #[test]
    fn records_that_are_gone_are_named(steps in history(), which: Index, record: Index, count in 1..4_usize) {
        let mut log = Log::of(&steps);
        let (stream, place) = log.pick(&which, &record);
        prop_assume!(stays(&log, stream, place));
        let links = log.streams.get_mut(&stream).expect("there");
        let end = (place + count).min(links.len());
        let sequence = links[place].sequence;
        let kind = match (links.len() == end, place) {
            (true, 0) => FindingKind::StreamMissing,
            (true, _) => FindingKind::RecordsCutOff,
            (false, _) => FindingKind::RecordMissing,
        };
        links.drain(place..end);
        let findings = log.verify();
        let first = findings.first().expect("found");
        prop_assert_eq!((first.kind, first.stream), (kind, Some(stream)));
        prop_assert!(first.sequence.is_none_or(|at| at == sequence));
    }

    #[test]
    fn swapped_records_are_named(steps in history(), which: Index, record: Index, other: Index) {
        let mut log = Log::of(&steps);
        let (stream, place) = log.pick(&which, &record);
        let links = log.streams.get_mut(&stream).expect("there");
        let other = other.index(links.len());
        prop_assume!(place != other);
        let (low, high) = (place.min(other), place.max(other));
        let (one, two) = (links[low].sequence, links[high].sequence);
        links.swap(low, high);
        (links[low].sequence, links[high].sequence) = (one, two);
        let wanted = Finding::at_record(FindingKind::RecordChanged, stream, one);
        prop_assert_eq!(log.verify().first().copied(), Some(wanted));
    }

    /// Somebody puts a record where others were removed: whatever it is, and however it is chained.
    #[test]
    fn a_record_put_back_before_the_begin_is_named(
        steps in history(), sequence in 1..=3_u64, how in 0..3_u8, is_gone: bool,
    ) {
        let (mut log, stream, begin) = Log::going(&steps, is_gone);
        prop_assert_eq!(log.verify(), []);
        let ledger = log.ledger();
        let canonical = log.record();
        let before = ledger.begin_at(stream, sequence - 1).unwrap_or_else(|| ChainState::begin(stream));
        let hash = match how {
            0 => ledger.begin_of(stream).expect("announced").hash,
            1 => before.after(&canonical).hash,
            _ => [7; 32],
        };
        let link = Link { sequence, hash: hash.to_vec(), signature: None, canonical, differing: None };
        let links = log.streams.get_mut(&stream).expect("there");
        links.retain(|link| link.sequence > begin || (link.sequence != sequence && !is_gone));
        links.insert(links.iter().take_while(|link| link.sequence < sequence).count(), link);
        let findings = log.verify();
        let first = findings.first().expect("found");
        prop_assert_eq!(first.stream, Some(stream));
        let at = first.sequence.expect("a record");
        prop_assert!(at == sequence || at == sequence + 1, "{:?}", findings);
    }

    /// What is announced to go goes as a whole.
    #[test]
    fn a_part_of_what_is_announced_to_go_is_named(steps in history(), more in 1..4_usize, keep in 1_u8..15) {
        let (mut log, stream, _) = Log::going(&steps, true);
        log.commit(stream, more + 4);
        log.checkpoint(false, Vec::new());
        let links = &log.streams[&stream];
        let last = links[3].clone();
        let begin = ChainState { stream, sequence: last.sequence, hash: last.hash.try_into().expect("32") };
        log.checkpoint(false, vec![begin]);
        prop_assert_eq!(log.verify(), []);
        let first = log.streams[&stream][0].sequence;
        log.streams.get_mut(&stream).expect("there").retain(|link| link.sequence - first > 3 || keep >> (link.sequence - first) & 1 == 1);
        let findings = log.verify();
        prop_assert_eq!(findings.first().and_then(|it| it.stream), Some(stream), "{:?}", findings);
        // With nothing after them, they are what is left of a stream that was cut off.
        log.streams.get_mut(&stream).expect("there").retain(|link| link.sequence - first <= 3);
        prop_assert!(!log.verify().is_empty());
    }

    #[test]
    fn what_is_announced_to_go_and_written_anew_is_named(steps in history()) {
        let (mut log, stream, begin) = Log::going(&steps, false);
        let mut state = log.ledger().begin_at(stream, 1).expect("announced");
        for sequence in 2..=begin {
            let canonical = log.record();
            state = state.after(&canonical);
            let link = log.streams.get_mut(&stream).expect("there").iter_mut().find(|link| link.sequence == sequence);
            let link = link.expect("there");
            (link.canonical, link.hash, link.signature) = (canonical, state.hash.to_vec(), None);
        }
        let wanted = Finding::at_record(FindingKind::CheckpointDiffers, stream, begin);
        prop_assert_eq!(log.verify().first().copied(), Some(wanted));
    }

    /// Whoever reads meanwhile: what was taken before it was announced may be gone, and so may, when one begins anew, what was taken after.
    #[test]
    fn what_goes_while_it_is_read_is_not_missing(steps in history(), read in 1..3_usize) {
        let (log, stream, begin) = Log::going(&steps, false);
        let links = &log.streams[&stream];
        let taken = |ledger: &Ledger| {
            let mut check = StreamCheck::begin(stream);
            let found: Vec<_> = links[..read].iter().filter_map(|link| check.take(link, ledger, &Signs)).collect();
            (check, found)
        };
        let rest = links.iter().find(|link| link.sequence == begin + 1).expect("there");
        let mut before = Ledger::new();
        for checkpoint in &log.checkpoints[..log.checkpoints.len() - 1] {
            before.take(checkpoint, &Signs);
        }
        let (mut check, found) = taken(&before);
        prop_assert_eq!(found, []);
        prop_assert_eq!(check.take(rest, &log.ledger(), &Signs), None);
        let (mut check, found) = taken(&log.ledger());
        prop_assert_eq!(found, []);
        let missing = Finding::at_record(FindingKind::RecordMissing, stream, read as u64 + 2);
        let wanted = (read < 2).then_some(missing);
        let mut again = check;
        prop_assert_eq!(check.take(rest, &log.ledger(), &Signs), wanted);
        again.restart();
        prop_assert_eq!(again.take(rest, &log.ledger(), &Signs), None);
    }

    #[test]
    fn swapped_signatures_are_named(steps in history(), which: Index, one: Index, two: Index) {
        let mut log = Log::of(&steps);
        let (stream, _) = log.pick(&which, &one);
        let links = log.streams.get_mut(&stream).expect("there");
        let signed: Vec<_> = (0..links.len()).filter(|at| links[*at].signature.is_some()).collect();
        let (one, two) = (signed[one.index(signed.len())], signed[two.index(signed.len())]);
        prop_assume!(one != two);
        let first = one.min(two);
        (links[one].signature, links[two].signature) = (links[two].signature.clone(), links[one].signature.clone());
        let sequence = links[first].sequence;
        let wanted = Finding::at_record(FindingKind::SignatureInvalid, stream, sequence);
        prop_assert_eq!(log.verify().first().copied(), Some(wanted));
    }

    #[test]
    fn records_that_were_added_are_named(steps in history(), which: Index, signed: Option<u32>) {
        let mut log = Log::of(&steps);
        let (stream, _) = log.pick(&which, &which);
        let canonical = log.record();
        let state = log.states[&stream].after(&canonical);
        let signature = signed.map(|version| (version, vec![1; 64]));
        let kind = match signed {
            None => FindingKind::Unsigned,
            Some(version) if (1..=log.newest_key).contains(&version) => FindingKind::SignatureInvalid,
            Some(_) => FindingKind::SignatureKeyUnknown,
        };
        let link = Link { sequence: state.sequence, hash: state.hash.to_vec(), signature, canonical, differing: None };
        log.streams.get_mut(&stream).expect("there").push(link);
        prop_assert_eq!(log.verify(), [Finding::at_record(kind, stream, state.sequence)]);
    }

    #[test]
    fn a_changed_or_missing_checkpoint_is_named(steps in history(), which: Index, byte: Index, bit in 0_u8..8, how in 0..4_u8) {
        let mut log = Log::of(&steps);
        let place = which.index(log.checkpoints.len());
        let is_last = place + 1 == log.checkpoints.len();
        prop_assume!(how != 0 || !is_last);
        let checkpoint = &mut log.checkpoints[place];
        let number = checkpoint.number;
        match how {
            0 => drop(log.checkpoints.remove(place)),
            1 => {
                let byte = byte.index(checkpoint.canonical.len());
                checkpoint.canonical[byte] ^= 1 << bit;
            }
            2 => checkpoint.signature.1[byte.index(64)] ^= 1 << bit,
            _ => checkpoint.signature.0 += 1,
        }
        let findings = log.verify();
        prop_assert_eq!(findings.first().and_then(|finding| finding.checkpoint), Some(number));
        // Each of the others is sound, or can't be told to be.
        let others = findings.iter().filter(|finding| finding.checkpoint.is_some_and(|other| other != number)).count();
        prop_assert_eq!(others, 0);
    }

    #[test]
    fn a_checkpoint_under_an_older_key_is_refused(steps in history()) {
        let mut log = Log::of(&steps);
        log.checkpoint(true, Vec::new());
        let last = log.checkpoints.last().and_then(StoredCheckpoint::read).expect("sound").checkpoint;
        let forged = Checkpoint { number: last.number + 1, previous: last.hash(), keys: vec![], begins: vec![], ends: vec![], ..last };
        let (number, older) = (forged.number, forged.newest_key - 1);
        log.add(forged, older);
        prop_assert_eq!(log.verify(), [Finding::at_checkpoint(FindingKind::CheckpointKey, number)]);
    }

    #[test]
    fn an_anchor_tells_of_a_log_that_was_set_back(steps in history(), cut: Index) {
        let log = Log::of(&steps);
        let anchor = log.checkpoints.last().expect("there").clone();
        let mut set_back = Log { checkpoints: log.checkpoints[..cut.index(log.checkpoints.len())].to_vec(), ..log };
        let found = |log: &Log| log.checkpoints.iter().find(|it| it.number == anchor.number).cloned();
        prop_assert_eq!(check_anchor(&anchor, found(&set_back).as_ref()).map(|it| it.kind), Some(FindingKind::AnchorMissing));
        set_back.told.clear();
        set_back.commit(stream(9), 1);
        while (set_back.checkpoints.len() as u64) < anchor.number {
            set_back.checkpoint(false, Vec::new());
        }
        prop_assert_eq!(check_anchor(&anchor, found(&set_back).as_ref()).map(|it| it.kind), Some(FindingKind::AnchorDiffers));
    }
}

#[test]
fn a_first_key_that_is_not_trusted_is_told() {
    let log = Log::of(&[]);
    let mut ledger = Ledger::trusting([9; 32]);
    let finding = ledger.take(&log.checkpoints[0], &Signs).1;
    assert_eq!(finding, Some(Finding::at_checkpoint(FindingKind::KeyUntrusted, 1)));
}

#[test]
fn keys_only_rise() {
    let mut log = Log::of(&[Step::Rotate, Step::Rotate]);
    let last = log.checkpoints.last().and_then(StoredCheckpoint::read).expect("sound").checkpoint;
    let newest = last.newest_key;
    for (versions, newest_key) in [
        (vec![newest], newest),
        (vec![newest + 1], newest),
        (vec![], newest + 1),
        (vec![newest + 2, newest + 1], newest + 2),
    ] {
        let keys = versions.into_iter().map(|version| AuditKey { version, public: public(version) }).collect();
        let (number, previous) = (last.number + 1, last.hash());
        log.add(Checkpoint { number, previous, keys, newest_key, ..last.clone() }, newest);
        assert_eq!(log.verify(), [Finding::at_checkpoint(FindingKind::CheckpointKeys, number)]);
        log.checkpoints.pop();
    }
}

#[test]
fn an_older_key_does_not_sign_after_a_newer_one() {
    let mut log = Log::of(&[]);
    log.checkpoint(true, Vec::new());
    log.commit(stream(0), 1);
    let newer = log.newest_key;
    log.newest_key = 1;
    log.commit(stream(0), 1);
    log.newest_key = newer;
    let sequence = log.states[&stream(0)].sequence;
    assert_eq!(log.verify(), [Finding::at_record(FindingKind::SignatureKeyOlder, stream(0), sequence)]);
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
