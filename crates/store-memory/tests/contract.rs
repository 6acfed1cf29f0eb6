//! Every store suite over the store in memory, plain and behind the decorator that fails on demand.

use std::sync::Arc;
use strongroom_domain::id::StreamId;
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::contract::Store;
use strongroom_testkit::{Faulty, FixedSigner, build, store_contract};

fn empty() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(Arc::new(FixedSigner), StreamId::new(build::uuid())))
}

store_contract!(memory, async { Store::of(empty(), FixedSigner::verify) });

store_contract!(faulty_without_faults, async {
    let store = empty();
    let faulty = Arc::new(Faulty::new(Arc::clone(&store)));
    Store {
        secrets: faulty.clone(),
        committer: faulty.clone(),
        access: faulty.clone(),
        audit_log: faulty,
        ..Store::of(store, FixedSigner::verify)
    }
});
