//! Rotations that are due, and the purge of keys whose date has come, over simulated years.

mod purge;

use crate::support::{World, code, create, key, reveal};
use crate::unruly_kms::UnrulyKms;
use core::time::Duration;
use std::sync::Arc;
use strongroom::domain::audit::{AuditRecord, Outcome};
use strongroom::domain::id::{KeyId, StreamId};
use strongroom::domain::kms::{Key, KeyOrigin, KeySpec, KeyState, Rotation};
use strongroom::domain::lease::{LeaseName, LeaseTtl};
use strongroom::domain::port::{Clock, CommitErrorKind, Committer, Freshness, KeyReader, Leases};
use strongroom::domain::unit::{AggregateId, Change, Expect, Unit};
use strongroom::embed::Embedded;
use strongroom::kms::CreateKeyInput;
use strongroom::{Code, Session};
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::{Faulty, FixedSigner, When};
use uuid::Uuid;

const DAY: u64 = 24 * 60 * 60;

/// How long after its date a key is purged.
const GRACE: Duration = Duration::from_secs(60 * 60);

fn days(days: u64) -> Duration {
    Duration::from_secs(days * DAY)
}

/// A key that is rotated every so many days.
async fn rotating(room: &Embedded, session: &Session, name: &str, every: u32) -> Arc<Key> {
    let rotation = Rotation { enabled: true, period_days: Some(every) };
    let input = CreateKeyInput { rotation, ..CreateKeyInput::named(name) };
    room.engine().create_key(session).await.expect("allowed").run(input).await.expect("creates")
}

async fn now(world: &World, id: KeyId) -> Option<Arc<Key>> {
    world.store.get(id, Freshness::Latest).await.expect("reads")
}

async fn versions(world: &World, key: &Key) -> usize {
    now(world, key.spec.id).await.expect("is there").versions.len()
}

/// Changes the state of a key, past all rules.
async fn set(world: &World, id: KeyId, change: impl FnOnce(&Key) -> KeyState) {
    let key = now(world, id).await.expect("is there");
    let expect = vec![Expect::Revision(AggregateId::Key(id), key.state.revision)];
    let changes = vec![Change::ReplaceKeyState { key: id, state: change(&key) }];
    world.store.commit(Unit { expect, changes, records: Vec::new() }).await.expect("commits");
}

async fn delete(world: &World, id: KeyId) {
    let at = world.clock.now();
    set(world, id, |key| key.deletion_scheduled(at).expect("not pending")).await;
}

/// A key like another, with material from elsewhere.
async fn imported(world: &World, like: &Key, name: &str, allow_rotation: bool) -> Key {
    let spec = KeySpec { id: KeyId::new(strongroom_testkit::build::uuid()), ..like.spec.clone() };
    let handle = world.kms.create(&spec).await.expect("creates");
    let mut key = Key { spec, name: name.to_owned(), slug: name.to_owned(), ..like.clone() };
    key.origin = KeyOrigin::Imported { allow_rotation };
    key.versions[0].handle = handle;
    let unit = Unit { changes: vec![Change::InsertKey(key.clone())], ..Unit::default() };
    world.store.commit(unit).await.expect("inserts");
    key
}

fn of_action<'a>(records: &'a [AuditRecord], action: &str) -> Vec<&'a AuditRecord> {
    records.iter().filter(|record| record.action.as_str() == action).collect()
}

/// Two nodes at a time, both of which look each day, and new ones every hundred days.
#[tokio::test]
async fn over_the_years_each_key_is_rotated_when_it_is_due_and_once() {
    let world = World::new();
    let mut rooms = [world.node().await, world.node().await];
    let session = rooms[0].session();
    let mut keys = Vec::new();
    for every in [7, 30, 365, 1_000, 3_650] {
        keys.push((rotating(&rooms[0], &session, &format!("every {every}"), every).await, every));
    }
    let weekly = Arc::clone(&keys[0].0);
    let disabled = rotating(&rooms[0], &session, "disabled", 7).await;
    set(&world, disabled.spec.id, |key| key.switched(false, key.created_at).expect("active").expect("changes")).await;
    let off = rotating(&rooms[0], &session, "off", 7).await;
    let rotation = Rotation { enabled: false, period_days: Some(7) };
    set(&world, off.spec.id, |key| KeyState { rotation, ..key.touched(key.created_at) }).await;
    let deleted = rotating(&rooms[0], &session, "deleted", 7).await;
    delete(&world, deleted.spec.id).await;
    let never = key(&rooms[0], &session, "never").await;
    let fixed = imported(&world, &weekly, "fixed", false).await;
    let free = imported(&world, &weekly, "imported", true).await;
    create(&rooms[0], &session, "/a", &weekly, b"value").await.expect("creates");

    let (started, years) = (world.clock.now(), 11);
    for day in 1..=years * 365 {
        world.clock.advance(days(1));
        if day % 100 == 0 {
            rooms = [world.node().await, world.node().await];
        }
        let (one, other) = tokio::join!(rooms[0].engine().rotate_due_keys(), rooms[1].engine().rotate_due_keys());
        let rotated = one.expect("rotates") + other.expect("rotates");
        let wanted = keys.iter().filter(|(_, every)| day % u64::from(*every) == 0).count() + usize::from(day % 7 == 0);
        assert_eq!(rotated as usize, wanted, "on day {day}");
    }
    for (key, every) in &keys {
        assert_eq!(versions(&world, key).await as u64, 1 + years * 365 / u64::from(*every), "{}", key.name);
    }
    assert_eq!(versions(&world, &free).await as u64, 1 + years * 365 / 7);
    for key in [&*disabled, &*off, &*never, &fixed, &*deleted] {
        assert_eq!(versions(&world, key).await, 1, "{}", key.name);
    }
    let weekly = now(&world, weekly.spec.id).await.expect("is there");
    for (number, version) in (1_u64..).zip(&weekly.versions) {
        assert_eq!(u64::from(version.number.get()), number);
        assert_eq!(version.created_at.micros_since(started), (number - 1) * 7 * DAY * 1_000_000);
    }
    assert_eq!(reveal(&rooms[0], &session, "/a").await.ok(), Some((1, b"value".to_vec())));

    let records = world.records().await;
    let told = of_action(&records, "kms.rotate.scheduled");
    let total: u64 = keys.iter().map(|(_, every)| years * 365 / u64::from(*every)).sum();
    assert_eq!(told.len() as u64, total + years * 365 / 7);
    for record in told {
        assert_eq!((record.outcome, record.principal, record.request.is_some()), (Outcome::Success, None, false));
        let scope = session.scope();
        assert_eq!(
            (record.organisation, record.region, record.project),
            (Some(scope.organisation), Some(scope.region), None)
        );
        assert!(record.resource.as_ref().is_some_and(|resource| resource.version > Some(1)));
    }
}

#[tokio::test]
async fn after_a_long_stop_one_rotation_is_enough_and_the_next_counts_from_it() {
    let world = World::new();
    let room = world.node().await;
    let app = rotating(&room, &room.session(), "app", 10).await;
    world.clock.advance(days(35));
    for (later, rotated) in [(0, 1), (9, 0), (1, 1), (0, 0)] {
        world.clock.advance(days(later));
        assert_eq!(room.engine().rotate_due_keys().await.ok(), Some(rotated));
    }
    assert_eq!(versions(&world, &app).await, 3);
    // One by hand counts too.
    world.clock.advance(days(5));
    room.engine().rotate(&room.session(), "app").await.expect("allowed").run().await.expect("rotates");
    world.clock.advance(days(9));
    assert_eq!(room.engine().rotate_due_keys().await.ok(), Some(0));
    world.clock.advance(days(1));
    assert_eq!(room.engine().rotate_due_keys().await.ok(), Some(1));
}

#[tokio::test]
async fn one_key_that_fails_keeps_no_other_from_its_rotation() {
    let mut world = World::new();
    let unruly = UnrulyKms::over(Arc::clone(&world.kms));
    world.kms = Arc::clone(&unruly) as _;
    let room = world.node().await;
    let session = room.session();
    // More than are read at once, and due before the good ones.
    let mut failing = Vec::new();
    for number in 0..120 {
        let key = rotating(&room, &session, &format!("failing {number}"), 10).await;
        unruly.unreachable.lock().expect("no panic").insert(key.spec.id);
        failing.push(key);
    }
    world.clock.advance(days(1));
    let good = rotating(&room, &session, "good", 10).await;
    world.clock.advance(days(10));
    let before = world.records().await.len();
    assert_eq!(code(room.engine().rotate_due_keys().await), Some(Code::KmsUnavailable));
    assert_eq!((versions(&world, &good).await, versions(&world, &failing[0]).await), (2, 1));
    room.engine().housekeeping().await.expect("records");
    let records = world.records().await;
    let told = of_action(&records[before..], "kms.rotate.scheduled");
    assert_eq!(told.iter().filter(|record| record.outcome == Outcome::Success).count(), 1);
    let failures: Vec<_> = told.iter().filter(|record| record.outcome == Outcome::Failure).collect();
    assert!((1..=120).contains(&failures.len()), "{}", failures.len());
    for record in &failures {
        assert_eq!((record.status, record.decided_by.as_deref()), (503, Some("kms_unavailable")));
        assert_eq!(record.organisation, Some(session.scope().organisation));
    }
    unruly.unreachable.lock().expect("no panic").clear();
    assert_eq!(room.engine().rotate_due_keys().await.ok(), Some(120), "the next round tries again");
    assert_eq!(versions(&world, &failing[0]).await, 2);
}

#[tokio::test]
async fn a_kms_that_is_down_is_not_asked_for_every_key() {
    let mut world = World::new();
    let unruly = UnrulyKms::over(Arc::clone(&world.kms));
    world.kms = Arc::clone(&unruly) as _;
    let room = world.node().await;
    for number in 0..70 {
        rotating(&room, &room.session(), &number.to_string(), 1).await;
    }
    world.clock.advance(days(1));
    *unruly.down.lock().expect("no panic") = true;
    assert_eq!(code(room.engine().rotate_due_keys().await), Some(Code::KmsUnavailable));
    assert_eq!(*unruly.rotations.lock().expect("no panic"), 1);
    *unruly.down.lock().expect("no panic") = false;
    assert_eq!(room.engine().rotate_due_keys().await.ok(), Some(70));
}

#[tokio::test]
async fn nothing_is_done_while_another_node_holds_the_lease() {
    let world = World::new();
    let room = world.node().await;
    let app = rotating(&room, &room.session(), "app", 1).await;
    let old = key(&room, &room.session(), "old").await;
    delete(&world, old.spec.id).await;
    world.clock.advance(days(31));
    let holder = Uuid::from_u128(7);
    let acquire =
        async |name| world.store.acquire(name, holder, LeaseTtl::MAX).await.expect("leases").expect("it is free");
    let leases = [acquire(LeaseName::KeyRotation).await, acquire(LeaseName::KeyPurge).await];
    assert_eq!(room.engine().rotate_due_keys().await.ok(), Some(0));
    assert_eq!(room.engine().purge_due_keys().await.ok(), Some(0));
    assert_eq!(versions(&world, &app).await, 1);
    assert!(now(&world, old.spec.id).await.is_some());
    for lease in leases {
        world.store.release(&lease).await.expect("releases");
    }
    assert_eq!(room.engine().rotate_due_keys().await.ok(), Some(1));
    assert_eq!(room.engine().purge_due_keys().await.ok(), Some(1));
    acquire(LeaseName::KeyRotation).await;
    acquire(LeaseName::KeyPurge).await;
}

/// A node that stood still for longer than its lease goes on when another has taken over.
#[tokio::test]
async fn who_lost_the_lease_in_the_middle_changes_nothing() {
    let mut world = World::new();
    let clock = Arc::clone(&world.clock);
    let store = MemoryStore::new(Arc::new(FixedSigner), StreamId::new(Uuid::nil()));
    world.store = Arc::new(store.with_clock(clock));
    let unruly = UnrulyKms::over(Arc::clone(&world.kms));
    world.kms = Arc::clone(&unruly) as _;
    let room = world.node().await;
    let app = rotating(&room, &room.session(), "app", 1).await;
    world.clock.advance(days(1));
    let (clock, store) = (Arc::clone(&world.clock), Arc::clone(&world.store));
    *unruly.during_rotation.lock().expect("no panic") = Some(Box::pin(async move {
        clock.advance(Duration::from_secs(3_600));
        let taken = store.acquire(LeaseName::KeyRotation, Uuid::from_u128(7), LeaseTtl::MIN).await;
        assert!(taken.expect("leases").is_some(), "it had ended");
    }));
    assert_eq!(room.engine().rotate_due_keys().await.ok(), Some(0));
    assert_eq!(versions(&world, &app).await, 1);
    assert_eq!(unruly.erased.lock().expect("no panic").len(), 1, "the material of the version that is none");
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(room.engine().rotate_due_keys().await.ok(), Some(1));
    assert_eq!(versions(&world, &app).await, 2);
}

#[tokio::test]
async fn a_key_that_is_changed_during_its_rotation_waits_for_the_next_round() {
    let mut world = World::new();
    let unruly = UnrulyKms::over(Arc::clone(&world.kms));
    let other = world.node().await;
    world.kms = Arc::clone(&unruly) as _;
    let room = world.node().await;
    let session = room.session();
    let app = rotating(&room, &session, "app", 1).await;
    world.clock.advance(days(1));
    let caller = session.clone();
    *unruly.during_rotation.lock().expect("no panic") = Some(Box::pin(async move {
        other.engine().switch(&caller, "app", false).await.expect("allowed").run().await.expect("disables");
    }));
    assert_eq!(room.engine().rotate_due_keys().await.ok(), Some(0));
    assert_eq!(versions(&world, &app).await, 1);
    assert_eq!(unruly.erased.lock().expect("no panic").len(), 1);
    assert_eq!(room.engine().rotate_due_keys().await.ok(), Some(0), "it is disabled");
    room.engine().switch(&session, "app", true).await.expect("allowed").run().await.expect("enables");
    assert_eq!(room.engine().rotate_due_keys().await.ok(), Some(1));
}

#[tokio::test]
async fn a_rotation_of_which_it_is_not_known_whether_it_was_stored_keeps_its_material() {
    for (when, wanted) in [(When::Before, 1), (When::After, 2)] {
        let mut world = World::new();
        let unruly = UnrulyKms::over(Arc::clone(&world.kms));
        world.kms = Arc::clone(&unruly) as _;
        let faulty = Arc::new(Faulty::new(Arc::clone(&world.store)));
        let room = world.node_over(Arc::clone(&faulty)).await;
        let app = rotating(&room, &room.session(), "app", 1).await;
        world.clock.advance(days(1));
        faulty.commits.fail(when, CommitErrorKind::OutcomeUnknown);
        assert_eq!(code(room.engine().rotate_due_keys().await), Some(Code::OutcomeUnknown));
        assert_eq!(versions(&world, &app).await, wanted);
        assert!(unruly.erased.lock().expect("no panic").is_empty());
        assert!(room.engine().rotate_due_keys().await.is_ok());
        assert_eq!(versions(&world, &app).await, 2);
    }
}
