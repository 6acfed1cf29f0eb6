//! Records that were announced to go.

use super::{Log, Signs, history};
use crate::audit::{ChainState, Finding, FindingKind, Ledger, Link, StreamCheck};
use proptest::prelude::*;

proptest! {
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
}
