//! The contract suites over SQLite and PostgreSQL.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use strongroom_testkit::contract::Store;

async fn empty_sqlite() -> Store {
    let folder = tempfile::tempdir().expect("a folder");
    common::open(folder.path()).await.ports().keeping(folder)
}

async fn empty_postgres() -> Store {
    let database = strongroom_test_postgres::database();
    common::postgres::open(database.url(), 9).await.ports().keeping(database)
}

strongroom_testkit::store_contract!(sqlite, empty_sqlite());
strongroom_testkit::store_contract!(postgres, empty_postgres());
