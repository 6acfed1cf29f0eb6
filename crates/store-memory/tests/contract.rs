//! Every store suite over the store in memory, plain and behind the decorator that fails on demand.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use async_trait::async_trait;
use std::sync::Arc;
use strongroom_domain::id::StreamId;
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::contract::{Remains, Store};
use strongroom_testkit::{Faulty, FixedSigner, ManualClock, build, model, store_contract};

fn empty() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(Arc::new(FixedSigner), StreamId::new(build::uuid())))
}

/// What is erased is gone at once.
struct Memory(Arc<MemoryStore>);

#[async_trait]
impl Remains for Memory {
    async fn at_once(&self, bytes: &[u8]) -> bool {
        self.0.holds(bytes).expect("readable")
    }
}

/// By a clock that whoever sleeps moves.
fn timed() -> Store {
    let clock = Arc::new(ManualClock::jumping(build::at(0)));
    let store = MemoryStore::new(Arc::new(FixedSigner), StreamId::new(build::uuid())).with_clock(clock.clone());
    let store = Arc::new(store);
    Store { clock, ..Store::of(Arc::clone(&store), FixedSigner::verify) }.searched_by(Memory(store))
}

store_contract!(memory, async { timed() });

store_contract!(faulty_without_faults, async {
    let store = empty();
    let faulty = Arc::new(Faulty::new(Arc::clone(&store)));
    Store {
        secrets: faulty.clone(),
        tenancy: faulty.clone(),
        directory: faulty.clone(),
        tokens: faulty.clone(),
        committer: faulty.clone(),
        access: faulty.clone(),
        audit_log: faulty,
        ..Store::of(Arc::clone(&store), FixedSigner::verify)
    }
    .searched_by(Memory(store))
});

#[test]
fn leases_have_one_holder_at_a_time() {
    model::check_leases(|| async { timed() });
}
