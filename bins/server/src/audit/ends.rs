//! What every checkpoint tells of streams, looked up by record.

use std::collections::{BTreeSet, HashMap};
use strongroom_domain::audit::ChainState;
use strongroom_domain::id::StreamId;

/// The first half of a hash: as hard to meet by another as a signature is to forge.
fn head(hash: &[u8]) -> u128 {
    hash.iter().take(16).fold(0, |head, byte| head << 8 | u128::from(*byte))
}

/// As far as it is needed to see a difference: sequence and the head of the hash, in order. A log of years has a checkpoint for each second
/// of activity, so a record must not look at all of them.
#[derive(Default)]
pub(super) struct Ends(HashMap<StreamId, BTreeSet<(u64, u128)>>);

impl Ends {
    pub(super) fn tell(&mut self, end: &ChainState) {
        self.0.entry(end.stream).or_default().insert((end.sequence, head(&end.hash)));
    }

    /// Whether a checkpoint tells of another record there.
    pub(super) fn differ(&self, stream: StreamId, sequence: u64, hash: &[u8]) -> bool {
        let told = self.0.get(&stream).into_iter().flat_map(|ends| ends.range((sequence, 0)..=(sequence, u128::MAX)));
        let here = head(hash);
        told.into_iter().any(|(_, told)| *told != here)
    }
}

#[cfg(test)]
mod tests {
    use super::Ends;
    use strongroom_domain::audit::ChainState;
    use strongroom_domain::id::StreamId;
    use uuid::Uuid;

    fn end(stream: u128, sequence: u64, byte: u8) -> ChainState {
        ChainState { stream: StreamId::new(Uuid::from_u128(stream)), sequence, hash: [byte; 32] }
    }

    fn differ(ends: &Ends, it: &ChainState) -> bool {
        ends.differ(it.stream, it.sequence, &it.hash)
    }

    #[test]
    fn a_record_differs_from_what_is_told_of_its_place_only() {
        let mut ends = Ends::default();
        // In no order, and twice.
        for told in [end(1, 9, 9), end(2, 4, 4), end(1, 3, 3), end(1, 9, 9)] {
            ends.tell(&told);
        }
        for same in [end(1, 9, 9), end(1, 3, 3), end(2, 4, 4)] {
            assert!(!differ(&ends, &same));
            assert!(differ(&ends, &ChainState { hash: [77; 32], ..same }));
            assert!(!differ(&ends, &ChainState { sequence: same.sequence + 1, hash: [77; 32], ..same }));
        }
        assert!(!differ(&ends, &end(3, 9, 1)));
        // One record can't be what both tell of.
        ends.tell(&end(1, 3, 8));
        assert!([3, 8].iter().all(|byte| differ(&ends, &end(1, 3, *byte))));
        assert!(!differ(&ends, &end(1, 9, 9)));
        assert!(ends.differ(StreamId::new(Uuid::from_u128(1)), 9, &[]));
    }

    /// Looking at all ends for each record, this would take hours.
    #[test]
    fn as_many_records_as_checkpoints_are_no_matter() {
        const COUNT: u64 = 200_000;
        let of = |sequence: u64| end(1, sequence, u8::try_from(sequence % 251).expect("below"));
        let mut ends = Ends::default();
        (1..=COUNT).for_each(|sequence| ends.tell(&of(sequence)));
        assert!((1..=COUNT).all(|sequence| !differ(&ends, &of(sequence))));
        let shifted = (1..=COUNT).filter(|at| differ(&ends, &ChainState { hash: of(at + 1).hash, ..of(*at) }));
        assert_eq!(shifted.count() as u64, COUNT);
    }
}
