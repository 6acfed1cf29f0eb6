//! Values that are put while others retire or purge what wraps their data key.

use super::operation::key_of;
use super::retire;
use crate::support::{World, code, create, key, path, put, reveal};
use crate::unruly_kms::UnrulyKms;
use std::sync::Arc;
use strongroom::Code;
use strongroom::domain::kms::{Key, KeyType};
use strongroom::domain::port::{Committer, SecretReader};
use strongroom::domain::unit::{Change, Unit};

/// How many data keys are under each version.
async fn wrapped(world: &World, key: &Key) -> Vec<(u32, u64)> {
    let counts = world.store.count_wrapped(key.spec.id).await.expect("reads");
    counts.into_iter().map(|(version, count)| (version.get(), count)).collect()
}

/// Another node rotated the key and retired what was before, and this one has not heard of it yet.
#[tokio::test]
async fn a_put_under_a_version_that_was_retired_meanwhile_is_repeated() {
    let world = World::new();
    let (room, other) = (world.node().await, world.node().await);
    let session = room.session();
    let app = key(&room, &session, "app").await;
    create(&room, &session, "/a", &app, b"1").await.expect("creates");
    assert_eq!(put(&room, &session, "/a", b"2").await.ok(), Some(2), "now the key is kept");
    let rotated = other.engine().rotate(&session, "app").await.expect("allowed").run().await.expect("rotates");
    assert_eq!(put(&room, &session, "/a", b"3").await.ok(), Some(3));
    assert_eq!(wrapped(&world, &app).await, [(1, 3)], "it still knows the key as it was");
    retire(&world, &rotated).await;
    let before = world.records().await.len();
    assert_eq!(put(&room, &session, "/a", b"4").await.ok(), Some(4));
    assert_eq!(wrapped(&world, &app).await, [(1, 3), (2, 1)]);
    let done = [("secret.value.write", "success", 201), ("kms.encrypt", "success", 201)];
    assert_eq!(world.log_after(before).await, done, "once");
    assert_eq!(reveal(&room, &session, "/a").await.ok(), Some((4, b"4".to_vec())));
}

#[tokio::test]
async fn a_secret_under_a_version_that_was_retired_meanwhile_is_made_under_the_newest() {
    let world = World::new();
    let (room, other) = (world.node().await, world.node().await);
    let session = room.session();
    let app = key(&room, &session, "app").await;
    create(&room, &session, "/a", &app, b"1").await.expect("creates, and keeps the key");
    let rotated = other.engine().rotate(&session, "app").await.expect("allowed").run().await.expect("rotates");
    retire(&world, &rotated).await;
    let before = world.records().await.len();
    create(&room, &session, "/b", &app, b"1").await.expect("creates");
    assert_eq!(wrapped(&world, &app).await, [(1, 1), (2, 1)]);
    let done = [("secret.create", "success", 201), ("kms.encrypt", "success", 201)];
    assert_eq!(world.log_after(before).await, done, "once");
    assert_eq!(reveal(&room, &session, "/b").await.ok(), Some((1, b"1".to_vec())));
}

#[tokio::test]
async fn nothing_is_stored_under_a_key_that_was_purged_meanwhile() {
    let world = World::new();
    let room = world.node().await;
    let session = room.session();
    let app = key(&room, &session, "app").await;
    create(&room, &session, "/a", &app, b"1").await.expect("creates");
    put(&room, &session, "/a", b"2").await.expect("puts, and keeps the key");
    let changes = vec![Change::DeleteKey { key: app.spec.id }];
    world.store.commit(Unit { changes, ..Unit::default() }).await.expect("purges");
    let before = world.records().await.len();
    assert_eq!(code(create(&room, &session, "/b", &app, b"1").await), Some(Code::KeyNotFound));
    assert_eq!(code(put(&room, &session, "/a", b"3").await), Some(Code::KeyUnusable));
    assert_eq!(
        world.log_after(before).await,
        [("secret.create", "failure", 404), ("secret.value.write", "failure", 400)]
    );
    assert_eq!(code(reveal(&room, &session, "/b").await), Some(Code::SecretNotFound));
    let view = room.engine().describe(&session, path("/a")).await.expect("allowed").run(None).await.expect("reads");
    assert_eq!(view.secret.state.head.latest.get(), 2);
    assert!(view.key.is_none());
}

/// Two rotate at once: the one that comes second makes the version after, and the material of its first try is erased.
#[tokio::test]
async fn a_rotation_that_another_node_overtakes_is_made_again() {
    let mut world = World::new();
    let kms = UnrulyKms::over(Arc::clone(&world.kms));
    let other = Arc::new(world.node().await);
    world.kms = kms.clone();
    let room = world.node().await;
    let session = room.session();
    key_of(room.engine(), &session, "app", KeyType::default()).await;
    let caller = session.clone();
    *kms.during_rotation.lock().expect("no panic") = Some(Box::pin(async move {
        other.engine().rotate(&caller, "app").await.expect("allowed").run().await.expect("is first");
    }));
    let rotated = room.engine().rotate(&session, "app").await.expect("allowed").run().await.expect("rotates");
    assert_eq!(rotated.versions.iter().map(|it| it.number.get()).collect::<Vec<_>>(), [1, 2, 3]);
    let erased = kms.erased.lock().expect("no panic").clone();
    assert_eq!(erased.len(), 1);
    assert!(rotated.versions.iter().all(|version| version.handle != erased[0]));
}
