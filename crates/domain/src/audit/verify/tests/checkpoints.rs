//! Checkpoints, their keys, and anchors.

use super::{Log, Signs, Step, history, public, stream};
use crate::audit::{AuditKey, Checkpoint, Finding, FindingKind, Ledger, check_anchor};
use crate::port::StoredCheckpoint;
use proptest::prelude::*;
use proptest::sample::Index;

proptest! {
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
