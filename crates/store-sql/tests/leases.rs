//! What of leases only a store in a file can show, and random steps by a clock that doesn't wait.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::sync::Arc;
use strongroom_domain::lease::{Epoch, Lease, LeaseName, LeaseTtl, Renewal};
use strongroom_domain::port::{Clock, CommitErrorKind, Committer, LeaseErrorKind, Leases};
use strongroom_domain::unit::{Expect, Unit};
use strongroom_store_sql::{OpenOptions, SqliteStore};
use strongroom_testkit::contract::Store;
use strongroom_testkit::{FixedSigner, ManualClock, SequentialIds, build, model};
use uuid::Uuid;

const NAME: LeaseName = LeaseName::AuditCheckpoint;

async fn by_clock(folder: &Path, clock: Arc<dyn Clock>) -> common::Opened {
    let store = SqliteStore::open(OpenOptions::new(common::file(folder)).create()).await.expect("opens");
    let store = store.with_clock(clock);
    let writer = store.writer(Arc::new(FixedSigner), Arc::new(SequentialIds::of_node(9))).expect("starts");
    common::Opened { store: Arc::new(store), writer: Arc::new(writer) }
}

async fn acquire(opened: &common::Opened, holder: u128) -> Option<Lease> {
    opened.writer.acquire(NAME, Uuid::from_u128(holder), LeaseTtl::MAX).await.expect("a lease store")
}

#[test]
fn one_holder_at_a_time() {
    model::check_leases(async || {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::jumping(build::at(0)));
        let opened = by_clock(folder.path(), clock.clone()).await;
        Store { clock, ..opened.ports() }.keeping(folder)
    });
}

/// What was acquired stands after a restart, and no epoch comes again.
#[tokio::test]
async fn leases_outlive_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = common::open(folder.path()).await;
    let held = acquire(&opened, 1).await.expect("free");
    opened.writer.close().await;
    drop(opened);

    let opened = common::open(folder.path()).await;
    assert_eq!(acquire(&opened, 2).await, None);
    let Renewal::Held(renewed) = opened.writer.renew(&held, LeaseTtl::MAX).await.expect("a lease store") else {
        panic!("lost")
    };
    assert_eq!(renewed.epoch, Epoch::FIRST);
    opened.writer.release(&renewed).await.expect("a lease store");
    opened.writer.close().await;
    drop(opened);

    let opened = common::open(folder.path()).await;
    let next = acquire(&opened, 2).await.expect("free");
    assert_eq!(next.epoch, Epoch::FIRST.next());
    let old = Expect::Lease(NAME, held.epoch);
    let unit = Unit { expect: vec![old.clone()], ..Unit::default() };
    let error = opened.writer.commit(unit).await.expect_err("fenced");
    assert_eq!(error.kind(), &CommitErrorKind::Conflict(old));
}

/// A lease taken while the clock was years ahead doesn't stop everyone for years.
#[tokio::test]
async fn a_clock_that_was_ahead_holds_nobody_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::new(build::at(1_000_000_000)));
    let opened = by_clock(folder.path(), clock.clone()).await;
    acquire(&opened, 1).await.expect("free");
    clock.set(build::at(0));
    let next = acquire(&opened, 2).await.expect("free");
    assert_eq!(next.epoch, Epoch::FIRST.next());
}

#[tokio::test]
async fn a_stopping_store_gives_no_lease() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = common::open(folder.path()).await;
    opened.writer.close().await;
    let error = opened.writer.acquire(NAME, Uuid::from_u128(1), LeaseTtl::MIN).await.expect_err("closed");
    assert_eq!(error.kind(), &LeaseErrorKind::Unavailable);
}
