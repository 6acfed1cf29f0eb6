use crate::support::{World, code, create, key, number, path, put, reveal, string};
use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use strongroom::domain::metadata::Metadata;
use strongroom::domain::port::{AccessErrorKind, Clock, CommitErrorKind, ReadErrorKind};
use strongroom::domain::version::{VersionNumber, VersionStatus};
use strongroom::embed::Embedded;
use strongroom::secret::{MetadataPatch, PutDone, PutInput, VersionPage};
use strongroom::{Code, Error, Idempotency, Outcome, Session};
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::{Faulty, When, build};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn puts_from_two_nodes_are_numbered_without_gap_or_double() {
    let world = World::new();
    let rooms = [Arc::new(world.node().await), Arc::new(world.node().await)];
    let session = rooms[0].session();
    let key = key(&rooms[0], &session, "app").await;
    create(&rooms[0], &session, "/a", &key, b"0").await.expect("creates");
    let writers = (0..4).map(|writer| {
        let (room, session) = (Arc::clone(&rooms[writer % 2]), session.clone());
        tokio::spawn(async move {
            let mut numbers = Vec::new();
            while numbers.len() < 50 {
                match put(&room, &session, "/a", b"v").await {
                    Ok(number) => numbers.push(number),
                    Err(error) => assert_eq!(error.code(), Code::Busy),
                }
            }
            numbers
        })
    });
    let mut all = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        all.extend(writer.await.expect("no panic"));
    }
    all.sort_unstable();
    assert_eq!(all, (2..=201).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_version_destroyed_on_another_node_is_not_revealed() {
    let world = World::new();
    let (room, other) = (world.node().await, world.node().await);
    let session = room.session();
    let key = key(&room, &session, "app").await;
    create(&room, &session, "/a", &key, b"1").await.expect("creates");
    put(&room, &session, "/a", b"2").await.expect("puts");
    assert_eq!(reveal(&room, &session, "/a").await.ok(), Some((2, b"2".to_vec())), "now it is cached");
    other.engine().destroy(&session, path("/a")).await.expect("allowed").run(number(2)).await.expect("destroys");
    assert_eq!(reveal(&room, &session, "/a").await.ok(), Some((1, b"1".to_vec())));
    put(&other, &session, "/a", b"3").await.expect("puts");
    assert_eq!(reveal(&room, &session, "/a").await.ok(), Some((3, b"3".to_vec())));
    other.engine().delete(&session, path("/a")).await.expect("allowed").run().await.expect("deletes");
    assert_eq!(code(reveal(&room, &session, "/a").await), Some(Code::SecretNotFound));
    create(&other, &session, "/a", &key, b"anew").await.expect("creates");
    assert_eq!(reveal(&room, &session, "/a").await.ok(), Some((1, b"anew".to_vec())));
}

#[tokio::test]
async fn a_put_that_knows_the_secret_from_before_is_decided_anew() {
    let world = World::new();
    let (room, other) = (world.node().await, world.node().await);
    let session = room.session();
    let key = key(&room, &session, "app").await;
    create(&room, &session, "/a", &key, b"1").await.expect("creates");
    let expecting = async |version, text: &[u8]| {
        let input = PutInput { expected: Some(version), ..string(text) };
        let done = room.engine().put(&session, path("/a")).await.expect("allowed").run(input, None).await?;
        Ok(done.done().expect("no idempotency key").version.get())
    };
    assert_eq!(expecting(1, b"2").await.ok(), Some(2), "now it is kept");
    assert_eq!(reveal(&room, &session, "/a").await.ok(), Some((2, b"2".to_vec())), "what was put is what is kept");
    put(&other, &session, "/a", b"3").await.expect("puts");
    assert_eq!(code(expecting(2, b"x").await), Some(Code::VersionMismatch));
    put(&other, &session, "/a", b"4").await.expect("puts");
    assert_eq!(expecting(4, b"5").await.ok(), Some(5));
    other.engine().delete(&session, path("/a")).await.expect("allowed").run().await.expect("deletes");
    assert_eq!(code(put(&room, &session, "/a", b"x").await), Some(Code::SecretNotFound));
    create(&other, &session, "/a", &key, b"anew").await.expect("creates");
    assert_eq!(put(&room, &session, "/a", b"2").await.ok(), Some(2));
}

/// A world with `/a` in its second version, and a node that lets others act between the reads of a secret and of its versions.
async fn read_in_two() -> (World, Arc<Embedded>, Session, Arc<Faulty<MemoryStore>>, Embedded) {
    let world = World::new();
    let room = Arc::new(world.node().await);
    let session = room.session();
    let key = key(&room, &session, "app").await;
    create(&room, &session, "/a", &key, b"1").await.expect("creates");
    put(&room, &session, "/a", b"2").await.expect("puts");
    let gated = Arc::new(Faulty::new(Arc::clone(&world.store)));
    let reader = world.node_over(Arc::clone(&gated)).await;
    (world, room, session, gated, reader)
}

/// The current version, and each version with whether it is active.
type Seen = (Option<u64>, Vec<(u64, bool)>);

async fn describe(room: &Embedded, session: &Session) -> Result<Seen, Error> {
    let describe = room.engine().describe(session, path("/a")).await?;
    let view = describe.run(Some(VersionPage::default())).await?;
    let versions = view.versions.expect("asked for").into_iter();
    let seen = versions.map(|version| (version.number.get(), version.status == VersionStatus::Active)).collect();
    Ok((view.secret.state.head.current.map(VersionNumber::get), seen))
}

#[tokio::test]
async fn a_secret_and_its_versions_are_of_one_moment() {
    let (_world, room, session, gated, reader) = read_in_two().await;
    let others = || (Arc::clone(&room), session.clone());
    let (other, caller) = others();
    gated.before_versions.run(async move {
        other.engine().destroy(&caller, path("/a")).await.expect("allowed").run(number(2)).await.expect("destroys");
    });
    assert_eq!(describe(&reader, &session).await.ok(), Some((Some(1), vec![(1, true), (2, false)])));
    for text in [b"3", b"4"] {
        let (other, caller) = others();
        gated.before_versions.run(async move { assert!(put(&other, &caller, "/a", text).await.is_ok()) });
    }
    let expected = (Some(4), vec![(1, true), (2, false), (3, true), (4, true)]);
    assert_eq!(describe(&reader, &session).await.ok(), Some(expected), "two came between");
    assert_eq!(gated.before_versions.left(), 0);
    // At the same path lives another one before the versions are read.
    let key = key(&room, &session, "other").await;
    let (other, caller) = others();
    gated.before_versions.run(async move {
        other.engine().delete(&caller, path("/a")).await.expect("allowed").run().await.expect("deletes");
        create(&other, &caller, "/a", &key, b"anew").await.expect("creates");
    });
    assert_eq!(describe(&reader, &session).await.ok(), Some((Some(1), vec![(1, true)])));
}

#[tokio::test]
async fn a_secret_that_is_deleted_before_its_versions_are_read_is_not_found() {
    let (world, room, session, gated, reader) = read_in_two().await;
    let caller = session.clone();
    gated.before_versions.run(async move {
        room.engine().delete(&caller, path("/a")).await.expect("allowed").run().await.expect("deletes");
    });
    let before = world.records().await.len();
    assert_eq!(code(describe(&reader, &session).await), Some(Code::SecretNotFound));
    assert_eq!(world.log_after(before).await, [("secret.delete", "success", 204), ("secret.read", "failure", 404)]);
}

#[tokio::test]
async fn a_secret_that_this_node_changes_all_the_while_can_be_read() {
    let (_world, _room, session, gated, reader) = read_in_two().await;
    let reader = Arc::new(reader);
    let (started, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    for _ in 0..100 {
        let (node, caller) = (Arc::clone(&reader), session.clone());
        let (started, ended) = (Arc::clone(&started), Arc::clone(&ended));
        gated.before_versions.run(async move {
            started.fetch_add(1, Ordering::Relaxed);
            let change = tokio::spawn(async move {
                assert!(put(&node, &caller, "/a", b"x").await.is_ok());
                ended.fetch_add(1, Ordering::Relaxed);
            });
            // It is done by then, unless it waits for its turn.
            for _ in 0..1_000 {
                if change.is_finished() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        });
    }
    let (current, versions) = describe(&reader, &session).await.expect("reads");
    assert_eq!(versions.last().map(|(number, _)| *number), current);
    assert!(started.load(Ordering::Relaxed) > 1, "the first try was in vain");
    assert!(gated.before_versions.left() > 90);
    let all_end = async {
        while ended.load(Ordering::Relaxed) < started.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), all_end).await.is_ok(), "who waited has had a turn");
}

#[tokio::test]
async fn a_secret_that_others_change_without_end_is_busy() {
    let (world, room, session, gated, reader) = read_in_two().await;
    for _ in 0..100 {
        let (other, caller) = (Arc::clone(&room), session.clone());
        gated.before_versions.run(async move { assert!(put(&other, &caller, "/a", b"x").await.is_ok()) });
    }
    let before = world.clock.now();
    assert_eq!(code(describe(&reader, &session).await), Some(Code::Busy));
    assert!(world.clock.now() > before, "it leaves them time");
    assert!(gated.before_versions.left() > 50, "it gives up");
}

#[tokio::test]
async fn no_value_leaves_when_its_records_are_not_durable() {
    let world = World::new();
    let room = world.node().await;
    let session = room.session();
    let key = key(&room, &session, "app").await;
    create(&room, &session, "/a", &key, b"1").await.expect("creates");
    let faulty = Arc::new(Faulty::new(Arc::clone(&world.store)));
    let broken = world.node_over(Arc::clone(&faulty)).await;
    for (when, kind, expected) in [
        (When::Before, AccessErrorKind::Unavailable, Code::StoreUnavailable),
        (When::Before, AccessErrorKind::Full, Code::StorageFull),
        (When::After, AccessErrorKind::OutcomeUnknown, Code::StoreUnavailable),
    ] {
        faulty.accesses.fail(when, kind);
        assert_eq!(code(reveal(&broken, &session, "/a").await), Some(expected), "{kind:?}");
    }
    faulty.accesses.fail(When::Before, AccessErrorKind::Stale);
    assert!(reveal(&broken, &session, "/a").await.is_ok(), "read again");
    faulty.commits.fail(When::Before, CommitErrorKind::Full);
    assert_eq!(code(put(&broken, &session, "/a", b"2").await), Some(Code::StorageFull));
    faulty.commits.fail(When::After, CommitErrorKind::OutcomeUnknown);
    assert_eq!(code(put(&broken, &session, "/a", b"2").await), Some(Code::OutcomeUnknown));
    assert_eq!(reveal(&room, &session, "/a").await.ok(), Some((2, b"2".to_vec())));
}

/// What the answer shows is read before the commit: a caller who hears of a fault of the store need not ask what is stored now.
#[tokio::test]
async fn a_change_whose_answer_cannot_be_made_is_not_stored() {
    let world = World::new();
    let faulty = Arc::new(Faulty::new(Arc::clone(&world.store)));
    let room = world.node_over(Arc::clone(&faulty)).await;
    let (session, engine) = (room.session(), room.engine());
    let key = key(&room, &session, "app").await;
    create(&room, &session, "/a", &key, b"1").await.expect("creates");
    let patch = MetadataPatch { description: Some(Some("d".to_owned())), ..MetadataPatch::default() };
    faulty.keys.fail(When::Before, ReadErrorKind::Unavailable);
    let patched = engine.patch(&session, path("/a")).await.expect("allowed").run(patch.into()).await;
    assert_eq!(code(patched), Some(Code::StoreUnavailable));
    faulty.keys.fail(When::Before, ReadErrorKind::Unavailable);
    let policy = Some(build::policy());
    let set = engine.set_policy(&session, path("/a")).await.expect("allowed").run(policy).await;
    assert_eq!(code(set), Some(Code::StoreUnavailable));
    assert_eq!(faulty.keys.left(), 0);
    let view = engine.describe(&session, path("/a")).await.expect("allowed").run(None).await.expect("reads");
    assert_eq!((view.secret.metadata, view.secret.policy), (Metadata::default(), None));
    assert_eq!(view.secret.state.object_version, 1);
}

/// A put that may come again: the version that was put, or that of the first time.
async fn put_once(room: &Embedded, session: &Session) -> Result<(bool, Vec<u8>), Error> {
    let render = |done: &PutDone| done.version.to_string().into_bytes();
    let request = Idempotency { key: "k", method: "POST", path: "/v1/…/versions", body: b"x", render: &render };
    let outcome = room.engine().put(session, path("/a")).await?.run(string(b"x"), Some(request)).await?;
    Ok(match outcome {
        Outcome::Done(done) => (true, render(&done)),
        Outcome::Repeated(answer) => (false, answer),
    })
}

/// Both nodes read the expired answer; one forgets it and answers anew, before the other forgets what it read.
#[tokio::test]
async fn an_answer_that_another_node_gave_meanwhile_is_not_forgotten() {
    let (world, room, session, gated, late) = read_in_two().await;
    assert_eq!(put_once(&room, &session).await.ok(), Some((true, b"3".to_vec())));
    world.clock.advance(Duration::from_secs(24 * 60 * 60 + 1));
    let (other, caller) = (Arc::clone(&room), session.clone());
    gated.after_answers.run(async move {
        assert_eq!(put_once(&other, &caller).await.ok(), Some((true, b"4".to_vec())));
    });
    assert_eq!(put_once(&late, &session).await.ok(), Some((false, b"4".to_vec())), "it was executed twice");
    assert_eq!(gated.after_answers.left(), 0);
    assert_eq!(reveal(&room, &session, "/a").await.ok(), Some((4, b"x".to_vec())));
}
