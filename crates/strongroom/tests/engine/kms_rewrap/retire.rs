//! Versions are retired when nothing is under them, whatever comes meanwhile.

use super::{counts, house, replace, retire, rewrap, rotate, version, wrapped};
use crate::support::{World, code, create, put, reveal};
use std::sync::Arc;
use strongroom::domain::kms::Key;
use strongroom::domain::port::Clock;
use strongroom::domain::secret::WrappedKey;
use strongroom::embed::Embedded;
use strongroom::{Code, Error, Session};
use strongroom_testkit::Faulty;

#[tokio::test]
async fn versions_are_retired_when_nothing_is_under_them() {
    let (world, room, session, app) = house(2).await;
    let encrypt = |version| {
        let (room, session, slug) = (&room, &session, app.slug.as_str());
        async move {
            let plain = crate::support::bytes(b"x");
            room.engine().encrypt(session, slug).await?.run(plain, Some(version)).await
        }
    };
    let old = encrypt(version(1)).await.expect("encrypts").ciphertext.to_string();
    assert_eq!(code(retire(&room, &session, &app, Some(3)).await), Some(Code::KeyVersionNotFound));
    assert_eq!(code(retire(&room, &session, &app, Some(2)).await), Some(Code::KeyVersionsInUse));
    assert_eq!(retire(&room, &session, &app, Some(1)).await.ok(), Some(1), "it is so already");
    rewrap(&room, &session, &app, 10).await.expect("moves");
    let before = (world.records().await.len(), world.clock.now());
    assert_eq!(retire(&room, &session, &app, None).await.ok(), Some(2));
    assert_eq!(world.log_after(before.0).await, [("kms.retire", "success", 200)]);
    assert!(world.clock.now().micros_since(before.1) >= 1_000_000, "other nodes know the newest version by then");
    let decrypt = async |text: &str| room.engine().decrypt(&session, &app.slug).await?.run(text).await;
    assert!(code(decrypt(&old).await).is_some_and(|code| code.status() == 400));
    // Back into use.
    let before = world.clock.now();
    assert_eq!(retire(&room, &session, &app, Some(1)).await.ok(), Some(1));
    assert_eq!(world.clock.now(), before, "nobody waits for that");
    assert!(decrypt(&old).await.is_ok());
}

/// A world in which the data key of `/s/0` goes back under the first version just before the versions are retired: as if a put came then.
async fn slipped(spoiled: bool) -> (World, Embedded, Session, Arc<Key>, Result<u32, Error>) {
    let (world, room, session, app) = house(2).await;
    let old = wrapped(&world, &app).await.remove(0);
    rewrap(&room, &session, &app, 10).await.expect("moves");
    let now = wrapped(&world, &app).await.remove(0);
    let faulty = Arc::new(Faulty::new(Arc::clone(&world.store)));
    let retiring = world.node_over(Arc::clone(&faulty)).await;
    let store = Arc::clone(&world.store);
    let mut bytes = old.wrapped.bytes.clone();
    bytes[20] ^= u8::from(spoiled);
    faulty.before_commits.run(async move {
        replace(&*store, &now, WrappedKey { bytes, ..old.wrapped }).await;
    });
    let retired = retire(&retiring, &session, &app, None).await;
    assert_eq!(faulty.before_commits.left(), 0);
    (world, room, session, app, retired)
}

#[tokio::test]
async fn what_slips_in_before_the_versions_are_retired_is_moved() {
    let (world, room, session, app, retired) = slipped(false).await;
    assert_eq!(retired.ok(), Some(2));
    assert_eq!(counts(&world, &app).await, [(2, 2)]);
    for at in ["/s/0", "/s/1"] {
        assert!(reveal(&room, &session, at).await.is_ok(), "{at}");
    }
}

#[tokio::test]
async fn when_it_cannot_be_moved_the_old_minimum_comes_back() {
    let (world, room, session, app, retired) = slipped(true).await;
    assert_eq!(code(retired), Some(Code::KeyVersionsInUse));
    assert_eq!(counts(&world, &app).await, [(1, 1), (2, 1)]);
    let key = room.engine().key(&session, &app.slug).await.expect("allowed").run().await.expect("reads");
    assert_eq!(key.state.min_decryption_version, version(1));
}

/// The server died between the commit of the minimum and the count after it.
#[tokio::test]
async fn what_a_crash_left_under_a_retired_version_is_readable_and_moved_by_either_remedy() {
    for by_rewrap in [true, false] {
        let (world, room, session, app) = house(1).await;
        let old = wrapped(&world, &app).await.remove(0);
        rewrap(&room, &session, &app, 10).await.expect("moves");
        assert_eq!(retire(&room, &session, &app, None).await.ok(), Some(2));
        let now = wrapped(&world, &app).await.remove(0);
        replace(&*world.store, &now, old.wrapped).await;
        let other = world.node().await;
        assert_eq!(reveal(&other, &session, "/s/0").await.ok(), Some((1, b"0".to_vec())), "it stays readable");
        match by_rewrap {
            true => assert_eq!(rewrap(&room, &session, &app, 10).await.map(|done| done.remaining).ok(), Some(0)),
            false => assert_eq!(retire(&room, &session, &app, None).await.ok(), Some(2)),
        }
        assert_eq!(reveal(&other, &session, "/s/0").await.ok(), Some((1, b"0".to_vec())));
    }
}

#[tokio::test]
async fn a_put_under_a_version_that_is_retired_meanwhile_is_made_again() {
    let (world, room, session, app) = house(1).await;
    rewrap(&room, &session, &app, 10).await.expect("moves");
    let faulty = Arc::new(Faulty::new(Arc::clone(&world.store)));
    let slow = world.node_over(Arc::clone(&faulty)).await;
    for creates in [false, true] {
        let (other, caller, of) = (world.node().await, session.clone(), Arc::clone(&app));
        faulty.before_commits.run(async move {
            rotate(&other, &caller, &of).await;
            rewrap(&other, &caller, &of, 100).await.expect("moves");
            retire(&other, &caller, &of, None).await.expect("retires");
        });
        match creates {
            false => assert_eq!(put(&slow, &session, "/s/0", b"late").await.ok(), Some(2)),
            true => assert!(create(&slow, &session, "/late", &app, b"late").await.is_ok()),
        }
        assert_eq!(faulty.before_commits.left(), 0);
        let at = if creates { "/late" } else { "/s/0" };
        assert_eq!(reveal(&room, &session, at).await.expect("reveals").1, b"late");
        let key = room.engine().key(&session, &app.slug).await.expect("allowed").run().await.expect("reads");
        assert!(counts(&world, &app).await.iter().all(|(of, _)| *of == key.state.min_decryption_version.get()));
    }
}
