//! Stores in PostgreSQL.

use std::sync::Arc;
use strongroom_store_sql::{PostgresOptions, PostgresStore, PostgresWriter};
use strongroom_testkit::contract::Store;
use strongroom_testkit::{FixedSigner, MachineClock, SequentialIds};

/// A store and its writer.
pub(crate) struct Opened {
    pub(crate) store: Arc<PostgresStore>,
    pub(crate) writer: Arc<PostgresWriter>,
}

/// A new store, or the one that is there. `node` sets its ids apart from those of others in the same database.
pub(crate) async fn open(url: &str, node: u64) -> Opened {
    let mut options = PostgresOptions::parse(url).expect("a URL").create();
    options.lanes = 2;
    let store = PostgresStore::open(options).await.expect("opens");
    let writer = store.writer(Arc::new(FixedSigner), Arc::new(SequentialIds::of_node(node))).await.expect("starts");
    Opened { store: Arc::new(store), writer: Arc::new(writer) }
}

impl Opened {
    /// As the contract suites take it.
    pub(crate) fn ports(&self) -> Store {
        Store {
            secrets: self.store.clone(),
            keys: self.store.clone(),
            tenancy: self.store.clone(),
            directory: self.store.clone(),
            tokens: self.store.clone(),
            answers: self.store.clone(),
            setup: self.store.clone(),
            committer: self.writer.clone(),
            access: self.writer.clone(),
            audit_log: self.writer.clone(),
            audit: self.store.clone(),
            leases: self.store.clone(),
            clock: Arc::new(MachineClock),
            verify: Arc::new(FixedSigner::verify),
            remains: None,
            keep: None,
        }
    }
}
