//! Rotation settings, deletion and its cancelling.

use super::operation::key_of;
use crate::support::{World, code, create, key, put, reveal};
use core::time::Duration;
use strongroom::domain::kms::{DELETION_DAYS, KeyStatus, KeyType, Rotation};
use strongroom::domain::port::{Clock, KeyFilter};
use strongroom::kms::{CreateKeyInput, RotationPatch};
use strongroom::{Code, Error};

#[tokio::test]
async fn rotation_settings() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let app = key(&room, &session, "app").await;
    assert_eq!(app.state.rotation, Rotation { enabled: false, period_days: None });
    let set = async |enabled: Option<bool>, period_days: Option<i64>| {
        let set = engine.set_rotation(&session, "app").await.expect("allowed");
        let key = set.run(RotationPatch::Set { enabled, period_days }).await?;
        Ok::<_, Error>((key.state.rotation.enabled, key.state.rotation.period_days, key.state.object_version))
    };
    let (on, off) = (Some(true), Some(false));
    assert_eq!(code(set(on, None).await), Some(Code::InvalidRequest), "no period");
    for bad in [0, -1, 3_651, i64::MAX] {
        assert_eq!(code(set(on, Some(bad)).await), Some(Code::InvalidRequest), "{bad}");
        assert_eq!(code(set(None, Some(bad)).await), Some(Code::InvalidRequest), "{bad}");
    }
    assert_eq!(set(None, None).await.ok(), Some((false, None, 1)), "it was so already");
    assert_eq!(set(None, Some(30)).await.ok(), Some((false, Some(30), 2)));
    assert_eq!(set(on, None).await.ok(), Some((true, Some(30), 3)), "the period was there");
    assert_eq!(set(None, Some(3_650)).await.ok(), Some((true, Some(3_650), 4)));
    assert_eq!(set(off, None).await.ok(), Some((false, Some(3_650), 5)), "the period stays");
    assert_eq!(set(off, Some(3_650)).await.ok(), Some((false, Some(3_650), 5)));
    assert_eq!(set(on, Some(1)).await.ok(), Some((true, Some(1), 6)));
    assert_eq!(set(None, None).await.ok(), Some((true, Some(1), 6)), "nothing said changes nothing");
    let clear = engine.set_rotation(&session, "app").await.expect("allowed").run(RotationPatch::Clear).await;
    assert_eq!(clear.expect("clears").state.rotation, Rotation::default());
    engine.switch(&session, "app", false).await.expect("allowed").run().await.expect("disables");
    assert_eq!(set(on, Some(90)).await.ok(), Some((true, Some(90), 9)), "of a disabled key too");
    engine.delete_key(&session, "app").await.expect("allowed").run().await.expect("deletes");
    assert_eq!(code(set(off, None).await), Some(Code::KeyPendingDeletion));
    assert_eq!(code(set(on, Some(0)).await), Some(Code::InvalidRequest), "the body comes first");
}

#[tokio::test]
async fn deletion_waits_thirty_days_and_can_be_called_off() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let app = key(&room, &session, "app").await;
    let other = key(&room, &session, "other").await;
    for (path, key) in [("/a", &app), ("/b", &app), ("/c", &other)] {
        create(&room, &session, path, key, b"1").await.expect("creates");
    }
    put(&room, &session, "/a", b"2").await.expect("puts");
    let delete = async || {
        let deleted = engine.delete_key(&session, &app.spec.id.to_string()).await.expect("allowed").run().await;
        let deleted = deleted.expect("deletes");
        (deleted.key.state.status, deleted.bound_secrets, deleted.key.state.object_version)
    };
    let cancel = async || {
        let cancelled = engine.cancel_deletion(&session, &app.spec.id.to_string()).await.expect("allowed").run().await;
        let state = cancelled.expect("cancels").state;
        (state.status, state.object_version)
    };
    assert_eq!(cancel().await, (KeyStatus::Active, 1), "there is nothing to call off");
    let purge_at = world.clock.now().plus_seconds(DELETION_DAYS * 24 * 60 * 60);
    let pending = |was_disabled| KeyStatus::PendingDeletion { purge_at, was_disabled };
    assert_eq!(delete().await, (pending(false), 2, 2));
    assert_eq!(code(reveal(&room, &session, "/a").await), Some(Code::KeyUnusable));
    assert_eq!(code(put(&room, &session, "/a", b"3").await), Some(Code::KeyUnusable));
    world.clock.advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(delete().await, (pending(false), 2, 2), "the date stays");
    assert_eq!(cancel().await, (KeyStatus::Active, 3));
    assert_eq!(reveal(&room, &session, "/a").await.ok(), Some((2, b"2".to_vec())));

    engine.switch(&session, "app", false).await.expect("allowed").run().await.expect("disables");
    let purge_at = world.clock.now().plus_seconds(DELETION_DAYS * 24 * 60 * 60);
    assert_eq!(delete().await.0, KeyStatus::PendingDeletion { purge_at, was_disabled: true });
    assert_eq!(cancel().await.0, KeyStatus::Disabled, "as it was");
    assert_eq!(cancel().await.0, KeyStatus::Disabled);
    assert_eq!(code(reveal(&room, &session, "/a").await), Some(Code::KeyUnusable));
}

/// The purge's date decides, not the purge: whoever comes too late to cancel finds nothing.
#[tokio::test]
async fn a_deletion_is_called_off_until_its_date_and_not_later() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let cancel = async |name: &str| engine.cancel_deletion(&session, name).await?.run().await;
    for (name, waited, expected) in [("early", 0, None), ("late", 1, Some(Code::KeyNotFound))] {
        key(&room, &session, name).await;
        engine.delete_key(&session, name).await.expect("allowed").run().await.expect("deletes");
        world.clock.advance(Duration::from_secs(30 * 24 * 60 * 60 - 1 + waited));
        assert_eq!(code(cancel(name).await), expected, "{name}");
    }
    // Between the two steps of a call the date may come as well.
    key(&room, &session, "slow").await;
    engine.delete_key(&session, "slow").await.expect("allowed").run().await.expect("deletes");
    let cancelling = engine.cancel_deletion(&session, "slow").await.expect("allowed");
    world.clock.advance(Duration::from_secs(30 * 24 * 60 * 60));
    assert_eq!(code(cancelling.run().await), Some(Code::KeyNotFound));
}

#[tokio::test]
async fn a_key_pending_deletion_does_not_hold_its_name() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let create =
        async |name: &str| engine.create_key(&session).await.expect("allowed").run(CreateKeyInput::named(name)).await;
    let by_slug = async |name: &str| {
        let get = engine.key(&session, name).await?;
        get.run().await.map(|key| key.spec.id)
    };
    let first = create("App").await.expect("creates").spec.id;
    assert_eq!(code(create("App").await), Some(Code::KeyNameTaken));
    engine.delete_key(&session, "app").await.expect("allowed").run().await.expect("deletes");
    assert_eq!(by_slug("app").await.ok(), Some(first));
    world.clock.advance(Duration::from_secs(1));
    let second = create("App").await.expect("the name is free");
    assert_eq!(second.slug, "app");
    assert_eq!(by_slug("app").await.ok(), Some(second.spec.id), "the live one");
    let cancel = engine.cancel_deletion(&session, &first.to_string()).await.expect("allowed");
    let cancelled = cancel.run().await.expect("it keeps its name");
    assert_eq!((cancelled.name.as_str(), cancelled.slug.as_str()), ("App", "app"));
    let filter = KeyFilter { name: Some("App".to_owned()), ..KeyFilter::default() };
    let listed = engine.keys(&session).await.expect("allowed").run(filter).await.expect("lists");
    assert_eq!(listed.iter().map(|key| key.spec.id).collect::<Vec<_>>(), [second.spec.id, first], "newest first");
    assert_eq!(code(create("App").await), Some(Code::KeyNameTaken));
}

/// Of two keys of a slug the younger may be gone while the older still waits.
#[tokio::test]
async fn a_slug_finds_the_one_that_is_there() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let delete = async |name: &str| engine.delete_key(&session, name).await?.run().await;
    let first = key_of(engine, &session, "app", KeyType::default()).await.spec.id.to_string();
    delete(&first).await.expect("deletes");
    world.clock.advance(Duration::from_secs(1));
    let second = key_of(engine, &session, "app", KeyType::default()).await.spec.id.to_string();
    engine.cancel_deletion(&session, &first).await.expect("allowed").run().await.expect("cancels");
    delete(&second).await.expect("deletes");
    world.clock.advance(Duration::from_secs(60));
    delete(&first).await.expect("deletes");
    world.clock.advance(Duration::from_secs(30 * 24 * 60 * 60 - 60));
    let found = engine.key(&session, "app").await.expect("the first still waits").run().await.expect("reads");
    assert_eq!(found.spec.id.to_string(), first);
    assert_eq!(code(engine.key(&session, &second).await.map(drop)), Some(Code::KeyNotFound));
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(code(engine.key(&session, "app").await.map(drop)), Some(Code::KeyNotFound));
}
