//! Records that were changed, removed, added or moved.

use super::{Log, history, stays, stream};
use crate::audit::{ChainState, Finding, FindingKind, Link};
use proptest::prelude::*;
use proptest::sample::Index;

proptest! {
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
