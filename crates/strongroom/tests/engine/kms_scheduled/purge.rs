//! The purge of keys whose date has come.

use super::{GRACE, days, delete, now, rotating, set, versions};
use crate::support::{World, code, create, key, reveal};
use crate::unruly_kms::UnrulyKms;
use core::time::Duration;
use std::sync::Arc;
use strongroom::Code;
use strongroom::domain::id::StreamId;
use strongroom::domain::kms::{Key, KeyHandle, KeyStatus};
use strongroom::domain::port::{Clock, CommitErrorKind, Committer, Kms, KmsErrorKind};
use strongroom::domain::tenancy::Region;
use strongroom::domain::time::Timestamp;
use strongroom::domain::unit::{Change, Unit};
use strongroom::embed::Embedded;
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::{Faulty, FixedSigner, When};
use uuid::Uuid;

/// A key with three versions that was deleted, and what its KMS knows it by.
async fn deleted(world: &World, room: &Embedded) -> (Arc<Key>, Vec<KeyHandle>) {
    let session = room.session();
    let app = key(room, &session, "app").await;
    create(room, &session, "/a", &app, b"1").await.expect("creates");
    for _ in 0..2 {
        room.engine().rotate(&session, "app").await.expect("allowed").run().await.expect("rotates");
    }
    delete(world, app.spec.id).await;
    let app = now(world, app.spec.id).await.expect("is there");
    let handles = app.versions.iter().map(|version| version.handle.clone()).collect();
    (app, handles)
}

async fn is_erased(kms: &dyn Kms, key: &Key) -> bool {
    let mut erased = Vec::new();
    for version in &key.versions {
        let outcome = kms.encrypt(&key.spec, version, b"", &crate::support::bytes(b"x")).await;
        erased.push(outcome.is_err_and(|error| *error.kind() == KmsErrorKind::BadHandle));
    }
    assert!(erased.iter().all(|it| *it == erased[0]), "all or none: {erased:?}");
    erased[0]
}

#[tokio::test]
async fn a_deleted_key_is_removed_when_its_date_has_come_and_not_before() {
    let world = World::new();
    let room = world.node().await;
    let (app, _) = deleted(&world, &room).await;
    let kept = key(&room, &room.session(), "kept").await;
    let spared = key(&room, &room.session(), "spared").await;
    delete(&world, spared.spec.id).await;
    world.clock.advance(days(30) - Duration::from_micros(1));
    set(&world, spared.spec.id, |key| key.deletion_cancelled(key.state.updated_at).expect("pending")).await;
    // For a while another node may call the deletion off by a clock that is behind.
    world.clock.advance(GRACE);
    assert_eq!(room.engine().purge_due_keys().await.ok(), Some(0));
    assert!(!is_erased(&*world.kms, &app).await);
    world.clock.advance(Duration::from_micros(1));
    let before = world.records().await.len();
    assert_eq!(room.engine().purge_due_keys().await.ok(), Some(1));
    assert_eq!(world.log_after(before).await, [("kms.purge", "success", 200)]);
    let records = world.records().await;
    let record = records.last().expect("a record");
    let scope = room.session().scope();
    assert_eq!(
        (record.principal, record.organisation, record.region),
        (None, Some(scope.organisation), Some(scope.region))
    );
    assert!(record.resource.as_ref().is_some_and(|resource| resource.identity == app.spec.id.to_string()));
    assert_eq!(now(&world, app.spec.id).await, None);
    assert!(is_erased(&*world.kms, &app).await);
    assert_eq!(code(reveal(&room, &room.session(), "/a").await), Some(Code::KeyUnusable));
    assert_eq!(room.engine().purge_due_keys().await.ok(), Some(0));
    world.clock.advance(days(3_650));
    assert_eq!(room.engine().purge_due_keys().await.ok(), Some(0));
    for key in [kept, spared] {
        assert!(
            now(&world, key.spec.id).await.is_some_and(|key| key.state.status == KeyStatus::Active),
            "{}",
            key.name
        );
    }
}

#[tokio::test]
async fn a_purge_that_is_cut_off_is_done_by_the_next_round() {
    let mut world = World::new();
    let unruly = UnrulyKms::over(Arc::clone(&world.kms));
    world.kms = Arc::clone(&unruly) as _;
    let faulty = Arc::new(Faulty::new(Arc::clone(&world.store)));
    let room = world.node_over(Arc::clone(&faulty)).await;
    let (app, handles) = deleted(&world, &room).await;
    let other = key(&room, &room.session(), "other").await;
    delete(&world, other.spec.id).await;
    world.clock.advance(days(30) + GRACE);
    // In the middle of the material of the first.
    *unruly.calls_left.lock().expect("no panic") = Some(1);
    assert_eq!(code(room.engine().purge_due_keys().await), Some(Code::KmsUnavailable));
    assert!(now(&world, app.spec.id).await.is_some(), "its handles are needed still");
    (*unruly.down.lock().expect("no panic"), *unruly.calls_left.lock().expect("no panic")) = (false, None);
    // After the material, before the key.
    faulty.commits.fail(When::Before, CommitErrorKind::Unavailable);
    assert_eq!(code(room.engine().purge_due_keys().await), Some(Code::StoreUnavailable));
    assert!(now(&world, app.spec.id).await.is_some());
    let again = world.node().await;
    assert_eq!(again.engine().purge_due_keys().await.ok(), Some(2));
    assert_eq!((now(&world, app.spec.id).await, now(&world, other.spec.id).await), (None, None));
    let erased = unruly.erased.lock().expect("no panic");
    assert!(handles.iter().all(|handle| erased.contains(handle)));
}

#[tokio::test]
async fn in_a_region_that_is_switched_off_nothing_is_rotated_and_what_was_deleted_goes() {
    let world = World::new();
    let room = world.node().await;
    let session = room.session();
    let app = rotating(&room, &session, "other", 1).await;
    let (old, _) = deleted(&world, &room).await;
    let off = Region { kms_enabled: false, ..session.region().clone() };
    let switch = async |region| {
        let unit = Unit { changes: vec![Change::ReplaceRegion(region)], ..Unit::default() };
        world.store.commit(unit).await.expect("replaces");
    };
    switch(off).await;
    world.clock.advance(days(31));
    assert_eq!(room.engine().rotate_due_keys().await.ok(), Some(0));
    assert_eq!(versions(&world, &app).await, 1);
    assert_eq!(room.engine().purge_due_keys().await.ok(), Some(1));
    assert!(is_erased(&*world.kms, &old).await);
    switch(session.region().clone()).await;
    assert_eq!(room.engine().rotate_due_keys().await.ok(), Some(1));
}

#[tokio::test]
async fn a_long_list_is_worked_off_in_several_rounds() {
    let world = World::new();
    let room = world.node().await;
    for number in 0..520 {
        let key = key(&room, &room.session(), &number.to_string()).await;
        delete(&world, key.spec.id).await;
    }
    world.clock.set(Timestamp::from_micros(world.clock.now().as_micros()).plus_seconds(31 * 24 * 60 * 60));
    assert_eq!(room.engine().purge_due_keys().await.ok(), Some(500));
    assert_eq!(room.engine().purge_due_keys().await.ok(), Some(20));
    assert_eq!(room.engine().purge_due_keys().await.ok(), Some(0));
}

/// All versions of a key together may take longer to erase than a lease stands.
#[tokio::test]
async fn a_purge_of_many_versions_over_a_slow_kms_comes_to_its_end() {
    let mut world = World::new();
    let store = MemoryStore::new(Arc::new(FixedSigner), StreamId::new(Uuid::nil()));
    world.store = Arc::new(store.with_clock(Arc::clone(&world.clock) as _));
    let unruly = UnrulyKms::over(Arc::clone(&world.kms));
    world.kms = Arc::clone(&unruly) as _;
    let room = world.node().await;
    let session = room.session();
    let app = key(&room, &session, "app").await;
    for _ in 1..40 {
        room.engine().rotate(&session, "app").await.expect("allowed").run().await.expect("rotates");
    }
    delete(&world, app.spec.id).await;
    world.clock.advance(days(30) + GRACE + Duration::from_micros(1));
    let clock = Arc::clone(&world.clock);
    *unruly.at_erase.lock().expect("no panic") = Some(Box::new(move || clock.advance(Duration::from_secs(5))));
    assert_eq!(room.engine().purge_due_keys().await.ok(), Some(1));
    assert_eq!(unruly.erased.lock().expect("no panic").len(), 40);
    assert_eq!(now(&world, app.spec.id).await, None);
}
