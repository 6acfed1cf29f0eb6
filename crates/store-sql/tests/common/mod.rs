//! What the tests of this crate share.
#![allow(dead_code, reason = "each test uses its own part of it")]
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

pub(crate) mod postgres;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use strongroom_store_sql::{OpenOptions, SqliteStore, SqliteWriter};
use strongroom_testkit::contract::Store;
use strongroom_testkit::{FixedSigner, MachineClock, SequentialIds};

/// So that no two starts give the same identifier.
static STARTS: AtomicU64 = AtomicU64::new(100);

/// A store and its writer.
pub(crate) struct Opened {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) writer: Arc<SqliteWriter>,
}

/// The file of a store in this folder.
pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join("strongroom.db")
}

pub(crate) async fn open_with(options: OpenOptions) -> Opened {
    let store = SqliteStore::open(options).await.expect("opens");
    let ids = Arc::new(SequentialIds::of_node(STARTS.fetch_add(1, Ordering::Relaxed)));
    let writer = store.writer(Arc::new(FixedSigner), ids).expect("starts");
    Opened { store: Arc::new(store), writer: Arc::new(writer) }
}

pub(crate) async fn open(folder: &Path) -> Opened {
    open_with(OpenOptions::new(file(folder)).create()).await
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
            leases: self.writer.clone(),
            clock: Arc::new(MachineClock),
            verify: Arc::new(FixedSigner::verify),
            remains: None,
            keep: None,
        }
    }
}
