//! The contract suites over SQLite.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use strongroom_testkit::contract::Store;

async fn empty() -> Store {
    let folder = tempfile::tempdir().expect("a folder");
    common::open(folder.path()).await.ports().keeping(folder)
}

strongroom_testkit::store_contract!(sqlite, empty());
