use core::sync::atomic::{AtomicU64, Ordering};
use strongroom_domain::port::IdGenerator;
use uuid::Uuid;

/// Counts: 1, 2, 3, … as UUIDs, so that a test knows every identity in advance.
#[derive(Debug, Default)]
pub struct SequentialIds {
    node: u64,
    last: AtomicU64,
}

impl SequentialIds {
    /// Begins at 1.
    #[must_use]
    pub const fn new() -> Self {
        Self::of_node(0)
    }

    /// Begins at 1, in a range of its own: generators of different nodes never give the same identifier.
    #[must_use]
    pub const fn of_node(node: u64) -> Self {
        Self { node, last: AtomicU64::new(0) }
    }
}

impl IdGenerator for SequentialIds {
    fn next(&self) -> Uuid {
        Uuid::from_u64_pair(self.node, self.last.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::SequentialIds;
    use strongroom_domain::port::IdGenerator;
    use uuid::Uuid;

    #[test]
    fn counts_in_its_own_range() {
        let ids = SequentialIds::new();
        assert_eq!([ids.next(), ids.next()], [Uuid::from_u128(1), Uuid::from_u128(2)]);
        assert_ne!(SequentialIds::of_node(1).next(), Uuid::from_u128(1));
    }
}
