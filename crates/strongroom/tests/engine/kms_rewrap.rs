//! Re-wrapping, the inventory, and retiring versions of a key.

mod retire;

use crate::support::{World, code, create, key, path, put, reveal, reveal_version, rule, user};
use crate::unruly_kms::UnrulyKms;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use strongroom::domain::audit::Outcome;
use strongroom::domain::kms::{Key, KeyVersionNumber};
use strongroom::domain::port::{Clock, CommitErrorKind, Committer, SecretReader, WrappedVersion};
use strongroom::domain::secret::WrappedKey;
use strongroom::domain::unit::{AggregateId, Change, Expect, Unit};
use strongroom::domain::version::VersionSelector;
use strongroom::embed::Embedded;
use strongroom::kms::{Inventory, Rewrapped};
use strongroom::{Code, Error, Session};
use strongroom_testkit::{Faulty, When};

fn version(number: u32) -> KeyVersionNumber {
    KeyVersionNumber::new(number).expect("not 0")
}

async fn rotate(room: &Embedded, session: &Session, key: &Key) {
    room.engine().rotate(session, &key.slug).await.expect("allowed").run().await.expect("rotates");
}

async fn rewrap(room: &Embedded, session: &Session, key: &Key, limit: u32) -> Result<Rewrapped, Error> {
    room.engine().rewrap(session, &key.slug).await?.run(limit).await
}

async fn retire(room: &Embedded, session: &Session, key: &Key, min: Option<u32>) -> Result<u32, Error> {
    let retired = room.engine().retire(session, &key.slug).await?.run(min.map(version)).await?;
    Ok(retired.state.min_decryption_version.get())
}

async fn inventory(room: &Embedded, session: &Session, key: &Key) -> Inventory {
    room.engine().inventory(session, &key.slug).await.expect("allowed").run(None, 1_000).await.expect("reads")
}

/// How many data keys are under each version.
async fn counts(world: &World, key: &Key) -> Vec<(u32, u64)> {
    let counts = world.store.count_wrapped(key.spec.id).await.expect("reads");
    counts.into_iter().map(|(version, count)| (version.get(), count)).collect()
}

async fn wrapped(world: &World, key: &Key) -> Vec<WrappedVersion> {
    world.store.wrapped(key.spec.id, None, None, 10_000).await.expect("reads")
}

/// Gives a version another wrapping, past all rules.
async fn replace(store: &dyn Committer, now: &WrappedVersion, after: WrappedKey) {
    let change =
        Change::ReplaceWrappedKey { secret: now.secret, version: now.version, before: now.wrapped.clone(), after };
    store.commit(Unit { changes: vec![change], ..Unit::default() }).await.expect("replaces");
}

/// Spoils the first data key, so that nothing opens it.
async fn spoil(world: &World, key: &Key) {
    let first = wrapped(world, key).await.remove(0);
    let mut bytes = first.wrapped.bytes.clone();
    bytes[20] ^= 1;
    replace(&*world.store, &first, WrappedKey { bytes, ..first.wrapped.clone() }).await;
}

/// A key with as many secrets under its first version, and a second version.
async fn house(secrets: u32) -> (World, Embedded, Session, Arc<Key>) {
    let world = World::new();
    let room = world.node().await;
    let session = room.session();
    let app = key(&room, &session, "app").await;
    for number in 0..secrets {
        create(&room, &session, &format!("/s/{number}"), &app, number.to_string().as_bytes()).await.expect("creates");
    }
    rotate(&room, &session, &app).await;
    (world, room, session, app)
}

#[tokio::test]
async fn everything_moves_in_steps_and_no_value_changes() {
    let (world, room, session, app) = house(250).await;
    put(&room, &session, "/s/0", b"new").await.expect("puts");
    let before = world.store.find(&session.scope(), &path("/s/1")).await.expect("reads");
    let records = world.records().await.len();
    let moved = |rewrapped, remaining| Rewrapped { rewrapped, failed: 0, remaining, latest: version(2) };
    assert_eq!(rewrap(&room, &session, &app, 30).await.ok(), Some(moved(30, 220)));
    assert_eq!(counts(&world, &app).await, [(1, 220), (2, 31)]);
    assert_eq!(rewrap(&room, &session, &app, 1_000).await.ok(), Some(moved(220, 0)));
    assert_eq!(rewrap(&room, &session, &app, 1_000).await.ok(), Some(moved(0, 0)), "nothing is left");
    assert_eq!(counts(&world, &app).await, [(2, 251)]);
    assert_eq!(
        world.store.find(&session.scope(), &path("/s/1")).await.expect("reads"),
        before,
        "the secret is as it was"
    );
    for number in 1..250 {
        let value = number.to_string().into_bytes();
        assert_eq!(reveal(&room, &session, &format!("/s/{number}")).await.ok(), Some((1, value)));
    }
    let current = reveal(&room, &session, "/s/0").await;
    assert_eq!(current.ok(), Some((2, b"new".to_vec())));
    let all = world.records().await;
    let told: Vec<_> = all[records..].iter().filter(|it| it.action.as_str() == "kms.rewrap").collect();
    assert_eq!(told.len(), 1 + 3 + 1, "one for each unit of at most 100, and one for the call that did nothing");
    for record in told {
        assert_eq!((record.outcome, record.status, record.principal.is_some()), (Outcome::Success, 200, true));
        let resource = record.resource.as_ref().expect("the key");
        assert_eq!(resource.identity, app.spec.id.to_string());
        assert!(resource.version.is_none_or(|version| version == 2));
    }
}

#[tokio::test]
async fn earlier_versions_of_a_secret_move_and_destroyed_ones_do_not_come_back() {
    let (world, room, session, app) = house(1).await;
    rotate(&room, &session, &app).await;
    put(&room, &session, "/s/0", b"2").await.expect("puts");
    rotate(&room, &session, &app).await;
    put(&room, &session, "/s/0", b"3").await.expect("puts");
    assert_eq!(counts(&world, &app).await, [(1, 1), (3, 1), (4, 1)]);
    let first = crate::support::number(1);
    room.engine().destroy(&session, path("/s/0")).await.expect("allowed").run(first).await.expect("destroys");
    let done = rewrap(&room, &session, &app, 10).await.expect("moves");
    assert_eq!((done.rewrapped, done.remaining, done.latest), (1, 0, version(4)));
    assert_eq!(counts(&world, &app).await, [(4, 2)]);
    let second = VersionSelector::Number(crate::support::number(2));
    assert_eq!(reveal_version(&room, &session, "/s/0", second).await.ok(), Some((2, b"2".to_vec())));
    let gone = VersionSelector::Number(first);
    assert_eq!(code(reveal_version(&room, &session, "/s/0", gone).await), Some(Code::VersionDestroyed));
}

/// Whoever changes secrets while they are re-wrapped.
async fn stir(
    room: Arc<Embedded>,
    session: Session,
    app: Arc<Key>,
    name: usize,
    stop: Arc<AtomicBool>,
) -> BTreeMap<String, Vec<u8>> {
    let mut known = BTreeMap::new();
    for round in 0_u32.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let (own, other) = (format!("/stir/{name}/{}", round % 7), format!("/s/{}", round % 40));
        let value = round.to_string().into_bytes();
        if known.contains_key(&own) && round % 5 == 0 {
            room.engine().delete(&session, path(&own)).await.expect("allowed").run().await.expect("deletes");
            known.remove(&own);
        } else {
            let done = match known.contains_key(&own) {
                true => put(&room, &session, &own, &value).await.map(drop),
                false => create(&room, &session, &own, &app, &value).await,
            };
            done.expect("stores");
            known.insert(own.clone(), value.clone());
        }
        if let Some(value) = known.get(&own) {
            assert_eq!(reveal(&room, &session, &own).await.expect("reveals").1, *value);
        }
        if let Ok(number) = put(&room, &session, &other, &value).await
            && number % 3 == 0
        {
            let destroy = room.engine().destroy(&session, path(&other)).await.expect("allowed");
            destroy.run(crate::support::number(number)).await.expect("destroys");
        }
        tokio::task::yield_now().await;
    }
    known
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn puts_destroys_and_deletes_go_on_meanwhile() {
    let (world, room, session, app) = house(40).await;
    let rooms = [Arc::new(room), Arc::new(world.node().await)];
    let stop = Arc::new(AtomicBool::new(false));
    let others = (0..4).map(|name| {
        let (room, session, app, stop) =
            (Arc::clone(&rooms[name % 2]), session.clone(), Arc::clone(&app), Arc::clone(&stop));
        tokio::spawn(stir(room, session, app, name, stop))
    });
    let others: Vec<_> = others.collect();
    for round in 1..=15 {
        rotate(&rooms[0], &session, &app).await;
        for _ in 0..20 {
            let done = rewrap(&rooms[0], &session, &app, 25).await.expect("moves");
            assert_eq!(done.failed, 0);
        }
        if round % 3 == 0 {
            let retired = retire(&rooms[1], &session, &app, None).await;
            assert!(matches!(code(retired), None | Some(Code::KeyVersionsInUse)));
        }
    }
    stop.store(true, Ordering::Relaxed);
    let mut known = BTreeMap::new();
    for other in others {
        known.extend(other.await.expect("no panic"));
    }
    while rewrap(&rooms[0], &session, &app, 1_000).await.expect("moves").remaining > 0 {}
    assert_eq!(retire(&rooms[0], &session, &app, None).await.ok(), Some(17));
    let all = wrapped(&world, &app).await;
    assert!(all.iter().all(|it| it.wrapped.key_version == version(17)));
    for room in &rooms {
        for it in &all {
            let selector = VersionSelector::Number(it.version);
            let revealed = reveal_version(room, &session, it.path.as_str(), selector).await;
            assert!(revealed.is_ok(), "{} {}", it.path, it.version);
        }
        for (at, value) in &known {
            assert_eq!(reveal(room, &session, at).await.expect("reveals").1, *value, "{at}");
        }
    }
}

#[tokio::test]
async fn what_another_node_keeps_in_memory_reveals_after_its_version_is_retired() {
    let (world, room, session, app) = house(2).await;
    let other = world.node().await;
    assert!(reveal(&other, &session, "/s/0").await.is_ok(), "now it is kept there, under the first version");
    rewrap(&room, &session, &app, 10).await.expect("moves");
    assert_eq!(retire(&room, &session, &app, None).await.ok(), Some(2));
    assert_eq!(reveal(&other, &session, "/s/0").await.ok(), Some((1, b"0".to_vec())));
    assert_eq!(reveal(&room, &session, "/s/1").await.ok(), Some((1, b"1".to_vec())));
}

#[tokio::test]
async fn a_data_key_that_cannot_be_opened_stops_nothing_and_is_tried_again() {
    let (world, room, session, app) = house(150).await;
    let sound = wrapped(&world, &app).await.remove(0);
    spoil(&world, &app).await;
    let spoiled = wrapped(&world, &app).await.remove(0);
    let before = world.records().await.len();
    let done = rewrap(&room, &session, &app, 149).await.expect("moves");
    assert_eq!((done.rewrapped, done.failed, done.remaining), (149, 1, 1));
    let done = rewrap(&room, &session, &app, 1).await.expect("ends");
    assert_eq!((done.rewrapped, done.failed, done.remaining), (0, 1, 1));
    room.engine().housekeeping().await.expect("records");
    let records = world.records().await;
    let failed: Vec<_> = records[before..].iter().filter(|it| it.outcome == Outcome::Failure).collect();
    assert!(!failed.is_empty());
    for record in failed {
        let resource = record.resource.as_ref().expect("the secret");
        assert_eq!((record.action.as_str(), resource.identity.as_str()), ("kms.rewrap", spoiled.path.as_str()));
    }
    assert_eq!(code(retire(&room, &session, &app, None).await), Some(Code::KeyVersionsInUse));
    // It comes back from a backup.
    replace(&*world.store, &spoiled, sound.wrapped.clone()).await;
    let done = rewrap(&room, &session, &app, 1).await.expect("moves");
    assert_eq!((done.rewrapped, done.failed, done.remaining), (1, 0, 0));
    assert_eq!(retire(&room, &session, &app, None).await.ok(), Some(2));
    assert!(reveal(&room, &session, sound.path.as_str()).await.is_ok());
}

/// Each call does a bounded amount of work, and yet what can't be opened keeps nothing else from being moved.
#[tokio::test]
async fn a_call_ends_after_many_that_cannot_be_opened_and_the_next_goes_on_behind_them() {
    let (world, room, session, app) = house(560).await;
    let sound = wrapped(&world, &app).await;
    for it in &sound[..520] {
        let mut bytes = it.wrapped.bytes.clone();
        bytes[20] ^= 1;
        replace(&*world.store, it, WrappedKey { bytes, ..it.wrapped.clone() }).await;
    }
    let done = rewrap(&room, &session, &app, 1_000).await.expect("ends");
    assert_eq!((done.rewrapped, done.failed, done.remaining), (0, 500, 560));
    // Behind them are 20 and the sound ones; of the others before, as many as it may.
    let done = rewrap(&room, &session, &app, 1_000).await.expect("ends");
    assert_eq!((done.rewrapped, done.failed, done.remaining), (40, 520, 520));
    // What is mended stands anywhere.
    let spoiled = wrapped(&world, &app).await;
    for place in [0, 519] {
        replace(&*world.store, &spoiled[place], sound[place].wrapped.clone()).await;
    }
    let mut moved = 0;
    for _ in 0..2 {
        let done = rewrap(&room, &session, &app, 1_000).await.expect("ends");
        assert!(done.failed < 600);
        moved += done.rewrapped;
    }
    assert_eq!((moved, counts(&world, &app).await), (2, vec![(1, 518), (2, 42)]));
}

#[tokio::test]
async fn what_was_moved_stays_moved_when_the_kms_or_the_store_goes_away() {
    let (mut world, _, session, app) = house(250).await;
    let unruly = UnrulyKms::over(Arc::clone(&world.kms));
    world.kms = Arc::clone(&unruly) as _;
    let faulty = Arc::new(Faulty::new(Arc::clone(&world.store)));
    let room = world.node_over(Arc::clone(&faulty)).await;
    // The hundred of the first unit, and half of the second: each is opened, wrapped, and opened again to see that it opens.
    *unruly.calls_left.lock().expect("no panic") = Some(450);
    assert_eq!(code(rewrap(&room, &session, &app, 1_000).await), Some(Code::KmsUnavailable));
    assert_eq!(counts(&world, &app).await, [(1, 100), (2, 150)]);
    (*unruly.down.lock().expect("no panic"), *unruly.calls_left.lock().expect("no panic")) = (false, None);
    faulty.commits.fail(When::Before, CommitErrorKind::Full);
    assert_eq!(code(rewrap(&room, &session, &app, 1_000).await), Some(Code::StorageFull));
    faulty.commits.fail(When::After, CommitErrorKind::OutcomeUnknown);
    assert_eq!(code(rewrap(&room, &session, &app, 1_000).await), Some(Code::OutcomeUnknown));
    assert_eq!(counts(&world, &app).await, [(2, 250)]);
    for number in 0..250 {
        assert!(reveal(&room, &session, &format!("/s/{number}")).await.is_ok(), "{number}");
    }
}

#[tokio::test]
async fn a_version_that_is_retired_meanwhile_is_not_wrapped_under() {
    let (world, room, session, app) = house(3).await;
    let faulty = Arc::new(Faulty::new(Arc::clone(&world.store)));
    let slow = world.node_over(Arc::clone(&faulty)).await;
    let (other, caller, of) = (world.node().await, session.clone(), Arc::clone(&app));
    faulty.before_commits.run(async move {
        rotate(&other, &caller, &of).await;
        rewrap(&other, &caller, &of, 100).await.expect("moves");
        assert_eq!(retire(&other, &caller, &of, None).await.ok(), Some(3));
    });
    let done = rewrap(&slow, &session, &app, 100).await.expect("sees that nothing is left");
    assert_eq!((done.rewrapped, done.remaining, done.latest), (0, 0, version(3)));
    assert_eq!(counts(&world, &app).await, [(3, 3)]);
    assert!(reveal(&room, &session, "/s/0").await.is_ok());
    // Nor does it go on for ever.
    rotate(&room, &session, &app).await;
    for _ in 0..100 {
        let kind = CommitErrorKind::Conflict(Expect::KeyVersion(app.spec.id, version(4)));
        faulty.commits.fail(When::Before, kind);
    }
    assert_eq!(code(rewrap(&slow, &session, &app, 100).await), Some(Code::Busy));
}

#[tokio::test]
async fn who_may_and_in_which_state() {
    let (world, room, session, app) = house(1).await;
    let id = app.spec.id.to_string();
    for (permissions, allowed) in
        [(&["update"][..], true), (&["*"], true), (&["encrypt", "decrypt", "rotate", "read"], false)]
    {
        let other = room.session_with(user(), [rule("kms_key", &[&id], permissions)]);
        let outcomes = [
            code(rewrap(&room, &other, &app, 1).await),
            code(retire(&room, &other, &app, None).await),
            code(async { room.engine().inventory(&other, &id).await?.run(None, 1).await }.await),
        ];
        assert_eq!(outcomes, [(!allowed).then_some(Code::KeyNotFound); 3], "{permissions:?}");
    }
    room.engine().switch(&session, &id, false).await.expect("allowed").run().await.expect("disables");
    assert_eq!(code(rewrap(&room, &session, &app, 1).await), Some(Code::KeyUnusable));
    assert_eq!(code(retire(&room, &session, &app, None).await), Some(Code::KeyUnusable));
    assert_eq!(inventory(&room, &session, &app).await.entries.len(), 1, "it can be seen");
    let current = room.engine().key(&session, &id).await.expect("allowed").run().await.expect("reads");
    let state = current.deletion_scheduled(world.clock.now()).expect("not pending");
    let expect = vec![Expect::Revision(AggregateId::Key(app.spec.id), current.state.revision)];
    let changes = vec![Change::ReplaceKeyState { key: app.spec.id, state }];
    world.store.commit(Unit { expect, changes, records: Vec::new() }).await.expect("commits");
    assert_eq!(code(rewrap(&room, &session, &app, 1).await), Some(Code::KeyPendingDeletion));
    assert_eq!(code(retire(&room, &session, &app, None).await), Some(Code::KeyPendingDeletion));
}

#[tokio::test]
async fn the_inventory_counts_all_and_shows_what_may_be_read() {
    let (world, room, session, app) = house(5).await;
    put(&room, &session, "/s/3", b"new").await.expect("puts");
    let all = inventory(&room, &session, &app).await;
    assert_eq!(all.counts, [(version(1), 5), (version(2), 1)]);
    assert_eq!(all.entries, wrapped(&world, &app).await);
    assert_eq!(all.next, None);
    let rules = [rule("kms_key", &[], &["update"]), rule("secret", &["/s/3", "/s/4"], &["read"])];
    let some = room.session_with(user(), rules);
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let read = room.engine().inventory(&some, &app.slug).await.expect("allowed");
        let page = read.run(after, 1).await.expect("reads");
        assert_eq!(page.counts, all.counts, "exact for all");
        assert!(page.entries.len() <= 1);
        seen.extend(
            page.entries
                .into_iter()
                .map(|it| (it.path.as_str().to_owned(), it.version.get(), it.wrapped.key_version.get())),
        );
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    seen.sort();
    let wanted = [("/s/3", 1, 1), ("/s/3", 2, 2), ("/s/4", 1, 1)];
    assert_eq!(seen, wanted.map(|(path, version, key)| (path.to_owned(), version, key)));
    let blind = room.session_with(user(), [rule("kms_key", &[], &["update"])]);
    assert_eq!(inventory(&room, &blind, &app).await.entries, []);
    let told = world.records().await;
    assert_eq!(told.last().map(|it| it.action.as_str()), Some("kms.inventory.read"));
}
