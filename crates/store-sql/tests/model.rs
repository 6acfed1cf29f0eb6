//! One random sequence of operations over a plain model, memory, SQLite and PostgreSQL at once, where two instances take turns.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use strongroom_domain::id::StreamId;
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::contract::Store;
use strongroom_testkit::{FixedSigner, build, model};

async fn stores() -> Vec<Vec<Store>> {
    let memory = MemoryStore::new(Arc::new(FixedSigner), StreamId::new(build::uuid()));
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = common::open(folder.path()).await.ports().keeping(folder);
    let database = strongroom_test_postgres::database();
    let first = common::postgres::open(database.url(), 8).await.ports();
    let second = common::postgres::open(database.url(), 9).await.ports().keeping(database);
    vec![vec![Store::of(Arc::new(memory), FixedSigner::verify)], vec![sqlite], vec![first, second]]
}

#[test]
fn all_stores_answer_alike() {
    model::check_together(stores);
}
