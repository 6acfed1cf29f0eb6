use core::sync::atomic::{AtomicU64, Ordering};
use strongroom_domain::port::{Entropy, EntropyError};

/// The same "random" bytes on every run. **For tests only**: whoever knows the seed knows every key made from it.
#[derive(Debug)]
pub struct SeededEntropy {
    state: AtomicU64,
}

impl SeededEntropy {
    /// Equal seeds give equal bytes.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }

    /// SplitMix64 (Steele, Lea and Flood, 2014): one addition per word, so threads may share it.
    fn word(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.word().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A source of randomness that always fails.
#[derive(Clone, Copy, Debug, Default)]
pub struct FailingEntropy;

impl Entropy for FailingEntropy {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError("told to fail".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::{FailingEntropy, SeededEntropy};
    use strongroom_domain::port::Entropy;

    #[test]
    fn equal_seeds_give_equal_bytes_and_no_two_fills_are_alike() {
        let (one, other) = (SeededEntropy::new(7), SeededEntropy::new(7));
        let mut fills = [[0; 13]; 3];
        one.fill(&mut fills[0]).expect("never fails");
        one.fill(&mut fills[1]).expect("never fails");
        other.fill(&mut fills[2]).expect("never fails");
        assert_eq!(fills[0], fills[2]);
        assert_ne!(fills[0], fills[1]);
        assert!(FailingEntropy.fill(&mut fills[0]).is_err());
    }
}
