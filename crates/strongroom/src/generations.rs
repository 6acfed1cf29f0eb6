//! Tells a reader that what it is about to keep was changed while it read.

use core::hash::{BuildHasher, Hash};
use core::sync::atomic::{AtomicU64, Ordering};
use std::hash::RandomState;

/// How many counters there are; two objects share one now and then, which costs a read of the store but is right.
const STRIPES: usize = 256;

/// Counts the changes of objects.
pub(crate) struct Generations {
    stripes: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Generations {
    pub(crate) fn new() -> Self {
        Self { stripes: (0..STRIPES).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::new() }
    }

    fn stripe(&self, object: impl Hash) -> &AtomicU64 {
        &self.stripes[self.hasher.hash_one(object) as usize % self.stripes.len()]
    }

    /// To be taken before the store is read.
    pub(crate) fn of(&self, object: impl Hash) -> u64 {
        self.stripe(object).load(Ordering::SeqCst)
    }

    /// To be called when a change is done, before what was kept is removed.
    pub(crate) fn raise(&self, object: impl Hash) {
        self.stripe(object).fetch_add(1, Ordering::SeqCst);
    }
}
