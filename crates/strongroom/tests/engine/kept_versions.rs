//! How many active versions are kept: what goes with a put.

use crate::support::{World, bytes, code, create, key, number, path, put, reveal, reveal_version, rule, string, user};
use core::num::NonZeroU32;
use std::sync::Arc;
use strongroom::domain::kms::Key;
use strongroom::domain::port::{CommitErrorKind, ReadErrorKind, SecretReader};
use strongroom::domain::secret::Secret;
use strongroom::domain::version::{VersionNumber, VersionSelector};
use strongroom::embed::Embedded;
use strongroom::secret::{CreateInput, MetadataPatch, PutDone, SecretPatch};
use strongroom::{Code, Error, Idempotency, Limits, Outcome, Session};
use strongroom_testkit::{Faulty, When};

async fn create_keeping(room: &Embedded, session: &Session, key: &Key, most: Option<u32>) -> Result<(), Error> {
    let input = CreateInput { max_active_versions: most, ..CreateInput::string(key, bytes(b"1")) };
    room.engine().create(session, path("/a")).await?.run(input, None).await.map(drop)
}

async fn keep(room: &Embedded, session: &Session, most: Option<u32>) -> Result<(), Error> {
    let patch = SecretPatch { max_active_versions: Some(most), ..SecretPatch::default() };
    room.engine().patch(session, path("/a")).await?.run(patch).await.map(drop)
}

async fn describe(room: &Embedded, session: &Session) -> Secret {
    room.engine().describe(session, path("/a")).await.expect("allowed").run(None).await.expect("reads").secret
}

/// The active versions, oldest first.
async fn active(world: &World, room: &Embedded, session: &Session) -> Vec<u64> {
    let secret = describe(room, session).await;
    let active = world.store.oldest_active(secret.id, u32::MAX).await.expect("reads");
    assert_eq!(secret.state.head.active as usize, active.len());
    active.into_iter().map(VersionNumber::get).collect()
}

#[tokio::test]
async fn a_put_destroys_the_oldest_with_a_record_of_each() {
    let world = World::new();
    let room = world.node().await;
    let session = room.session();
    let key = key(&room, &session, "app").await;
    create_keeping(&room, &session, &key, Some(2)).await.expect("creates");
    assert_eq!(describe(&room, &session).await.max_active_versions, NonZeroU32::new(2));
    put(&room, &session, "/a", b"2").await.expect("puts");
    let before = world.records().await.len();
    assert_eq!(put(&room, &session, "/a", b"3").await.ok(), Some(3));
    let log = [
        ("secret.value.write", "success", 201),
        ("kms.encrypt", "success", 201),
        ("secret.version.destroy", "success", 201),
    ];
    assert_eq!(world.log_after(before).await, log);
    let records = world.records().await;
    let destroyed = records[before + 2].resource.as_ref().expect("of a secret");
    assert_eq!((destroyed.identity.as_str(), destroyed.version), ("/a", Some(1)));
    let requests = records[before..].iter().map(|record| record.request.as_ref().map(|request| request.id));
    let requests: Vec<_> = requests.collect();
    assert!(requests.iter().all(|request| *request == requests[0]), "they tell of one request");
    assert_eq!(active(&world, &room, &session).await, [2, 3]);
    let first = reveal_version(&room, &session, "/a", VersionSelector::Number(number(1))).await;
    assert_eq!(code(first), Some(Code::VersionDestroyed));
    for n in 4..=9 {
        assert_eq!(put(&room, &session, "/a", &[n]).await.ok(), Some(u64::from(n)));
        assert_eq!(active(&world, &room, &session).await, [u64::from(n) - 1, u64::from(n)]);
        assert_eq!(reveal(&room, &session, "/a").await.ok(), Some((u64::from(n), vec![n])));
    }
    // One between is gone already: nothing has to go.
    room.engine().destroy(&session, path("/a")).await.expect("allowed").run(number(8)).await.expect("destroys");
    put(&room, &session, "/a", b"10").await.expect("puts");
    assert_eq!(active(&world, &room, &session).await, [9, 10]);
}

#[tokio::test]
async fn the_smaller_of_two_holds_and_a_full_secret_takes_puts_again() {
    let mut world = World::new();
    world.limits = Limits { max_active_versions: 4, ..Limits::default() };
    let plain = world.node().await;
    let session = plain.session();
    let key = key(&plain, &session, "app").await;
    create(&plain, &session, "/a", &key, b"1").await.expect("creates");
    for n in 2..=4 {
        assert_eq!(put(&plain, &session, "/a", b"n").await.ok(), Some(n));
    }
    assert_eq!(code(put(&plain, &session, "/a", b"5").await), Some(Code::TooManyVersions));
    keep(&plain, &session, Some(4)).await.expect("patches");
    assert_eq!(active(&world, &plain, &session).await, [1, 2, 3, 4], "a patch destroys nothing");
    assert_eq!(put(&plain, &session, "/a", b"5").await.ok(), Some(5));
    assert_eq!(active(&world, &plain, &session).await, [2, 3, 4, 5]);

    world.limits.keep_active_versions = Some(3);
    let keeping = world.node().await;
    put(&keeping, &session, "/a", b"6").await.expect("puts");
    assert_eq!(active(&world, &keeping, &session).await, [4, 5, 6], "the operator's is smaller");
    keep(&keeping, &session, Some(1)).await.expect("patches");
    put(&keeping, &session, "/a", b"7").await.expect("puts");
    assert_eq!(active(&world, &keeping, &session).await, [7], "the secret's is smaller");
    keep(&keeping, &session, None).await.expect("patches");
    for _ in 8..=9 {
        put(&keeping, &session, "/a", b"n").await.expect("puts");
    }
    assert_eq!(active(&world, &keeping, &session).await, [7, 8, 9]);
    put(&keeping, &session, "/a", b"10").await.expect("puts");
    assert_eq!(active(&world, &keeping, &session).await, [8, 9, 10]);
}

#[tokio::test]
async fn many_go_a_hundred_at_a_time() {
    let world = World::new();
    let room = world.node().await;
    let session = room.session();
    let key = key(&room, &session, "app").await;
    create(&room, &session, "/a", &key, b"1").await.expect("creates");
    for _ in 2..=230 {
        put(&room, &session, "/a", b"n").await.expect("puts");
    }
    keep(&room, &session, Some(10)).await.expect("patches");
    for (put_as, left) in [(231_u64, 131), (232, 32), (233, 10), (234, 10)] {
        assert_eq!(put(&room, &session, "/a", b"n").await.ok(), Some(put_as));
        let active = active(&world, &room, &session).await;
        assert_eq!(active, (put_as - left + 1..=put_as).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn what_a_maximum_may_be_and_who_sets_it() {
    let mut world = World::new();
    world.limits = Limits { max_active_versions: 5, ..Limits::default() };
    let room = world.node().await;
    let session = room.session();
    let key = key(&room, &session, "app").await;
    for most in [0, 100_001, u32::MAX] {
        assert_eq!(code(create_keeping(&room, &session, &key, Some(most)).await), Some(Code::InvalidRequest));
    }
    create_keeping(&room, &session, &key, Some(5)).await.expect("creates");
    for most in [0, 100_001] {
        assert_eq!(code(keep(&room, &session, Some(most)).await), Some(Code::InvalidRequest));
    }
    let with = |permissions: &[&str]| room.session_with(user(), [rule("secret", &["/**"], permissions)]);
    let updater = with(&["update", "putSecretValue"]);
    let before = world.records().await.len();
    assert_eq!(code(keep(&room, &updater, Some(1)).await), Some(Code::Forbidden));
    assert_eq!(world.log_after(before).await, [("secret.metadata.update", "denied", 403)]);
    assert_eq!(
        world.records().await.last().and_then(|it| it.decided_by.clone()).as_deref(),
        Some("maxActiveVersions wants delete")
    );
    assert_eq!(describe(&room, &session).await.max_active_versions, NonZeroU32::new(5));
    keep(&room, &updater, Some(5)).await.expect("repeats");
    keep(&room, &with(&["update", "delete"]), Some(2)).await.expect("patches");
    keep(&room, &updater, Some(3)).await.expect("raises");
    let description = MetadataPatch { description: Some(Some("d".to_owned())), ..MetadataPatch::default() };
    let patch = room.engine().patch(&updater, path("/a")).await.expect("allowed");
    let view = patch.run(description.into()).await.expect("patches");
    assert_eq!(view.secret.max_active_versions, NonZeroU32::new(3), "what isn't named stays");
    keep(&room, &updater, None).await.expect("destroys nothing");
    assert_eq!(code(keep(&room, &updater, Some(5)).await), Some(Code::Forbidden), "sets it");
    assert_eq!(describe(&room, &session).await.max_active_versions, None);
    assert_eq!(describe(&room, &session).await.metadata.description(), "d");
}

/// Where the operator lowers the limit, what a secret was told before is more than that.
#[tokio::test]
async fn more_than_the_operator_allows_may_be_said_and_destroys_nothing() {
    let mut world = World::new();
    world.limits = Limits { max_active_versions: 3, ..Limits::default() };
    let room = world.node().await;
    let session = room.session();
    let key = key(&room, &session, "app").await;
    create_keeping(&room, &session, &key, Some(100_000)).await.expect("creates");
    keep(&room, &session, Some(4)).await.expect("patches");
    assert_eq!(describe(&room, &session).await.max_active_versions, NonZeroU32::new(4));
    for n in 2..=3 {
        assert_eq!(put(&room, &session, "/a", b"n").await.ok(), Some(n));
    }
    assert_eq!(code(put(&room, &session, "/a", b"4").await), Some(Code::TooManyVersions));
    assert_eq!(active(&world, &room, &session).await, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_that_race_keep_no_more_and_lose_none() {
    const PUTS: u64 = 40;
    let world = World::new();
    let rooms = [Arc::new(world.node().await), Arc::new(world.node().await)];
    let session = rooms[0].session();
    let key = key(&rooms[0], &session, "app").await;
    create_keeping(&rooms[0], &session, &key, Some(3)).await.expect("creates");
    let mut racers = Vec::new();
    for room in &rooms {
        let (room, session) = (Arc::clone(room), session.clone());
        racers.push(tokio::spawn(async move {
            let mut made = Vec::new();
            while (made.len() as u64) < PUTS {
                match put(&room, &session, "/a", b"n").await {
                    Ok(number) => made.push(number),
                    Err(error) => assert_eq!(error.code(), Code::Busy, "{error}"),
                }
                let secret = describe(&room, &session).await;
                assert!(secret.state.head.active <= 3 && secret.state.head.current.is_some());
            }
            made
        }));
    }
    let mut made = Vec::new();
    for racer in racers {
        made.extend(racer.await.expect("no panic"));
    }
    made.sort_unstable();
    assert_eq!(made, (2..=2 * PUTS + 1).collect::<Vec<_>>());
    assert_eq!(active(&world, &rooms[1], &session).await, [2 * PUTS - 1, 2 * PUTS, 2 * PUTS + 1]);
    let destroyed = world.records().await.into_iter().filter(|it| it.action.as_str() == "secret.version.destroy");
    let destroyed: Vec<_> = destroyed.filter_map(|it| it.resource.and_then(|resource| resource.version)).collect();
    assert_eq!(destroyed, (1..=2 * PUTS - 2).collect::<Vec<_>>(), "each once, in order");
}

/// A node that has a version in its cache asks before the value leaves whether it is still there.
#[tokio::test]
async fn another_node_never_reveals_what_a_put_destroyed() {
    let world = World::new();
    let (here, there) = (world.node().await, world.node().await);
    let session = here.session();
    let key = key(&here, &session, "app").await;
    create_keeping(&here, &session, &key, Some(1)).await.expect("creates");
    assert_eq!(reveal(&there, &session, "/a").await.ok(), Some((1, b"1".to_vec())));
    put(&here, &session, "/a", b"2").await.expect("puts");
    assert_eq!(reveal(&there, &session, "/a").await.ok(), Some((2, b"2".to_vec())));
    // Nor does its own put rest on what it has in its cache.
    put(&here, &session, "/a", b"3").await.expect("puts");
    keep(&here, &session, Some(2)).await.expect("patches");
    assert_eq!(put(&there, &session, "/a", b"4").await.ok(), Some(4));
    assert_eq!(active(&world, &here, &session).await, [3, 4]);
}

#[tokio::test]
async fn put_and_destruction_are_stored_together_or_not_at_all() {
    let world = World::new();
    let faulty = Arc::new(Faulty::new(Arc::clone(&world.store)));
    let room = world.node_over(Arc::clone(&faulty)).await;
    let session = room.session();
    let key = key(&room, &session, "app").await;
    create_keeping(&room, &session, &key, Some(1)).await.expect("creates");
    faulty.commits.fail(When::Before, CommitErrorKind::Full);
    assert_eq!(code(put(&room, &session, "/a", b"2").await), Some(Code::StorageFull));
    assert_eq!(active(&world, &room, &session).await, [1]);
    faulty.commits.fail(When::After, CommitErrorKind::OutcomeUnknown);
    assert_eq!(code(put(&room, &session, "/a", b"2").await), Some(Code::OutcomeUnknown));
    assert_eq!(active(&world, &room, &session).await, [2]);
    assert_eq!(reveal(&room, &session, "/a").await.ok().map(|(version, _)| version), Some(2));
    // What is to go can't be read, whether the secret came from the cache or from the store: nothing is put.
    faulty.reads.fail(When::Before, ReadErrorKind::Unavailable);
    faulty.reads.fail(When::Before, ReadErrorKind::Unavailable);
    assert_eq!(code(put(&room, &session, "/a", b"3").await), Some(Code::StoreUnavailable));
    assert_eq!(faulty.reads.left(), 0);
    assert_eq!(active(&world, &room, &session).await, [2]);
}

#[tokio::test]
async fn a_retry_gets_the_first_answer_although_its_version_was_pruned() {
    let world = World::new();
    let room = world.node().await;
    let session = room.session();
    let key = key(&room, &session, "app").await;
    let create = async || {
        let input = CreateInput { max_active_versions: Some(1), ..CreateInput::string(&key, bytes(b"1")) };
        let request =
            Idempotency { key: "c", method: "POST", path: "/v1/…", body: b"1", render: &|_| b"created".to_vec() };
        let create = room.engine().create(&session, path("/a")).await.expect("allowed");
        create.run(input, Some(request)).await.expect("creates")
    };
    assert!(matches!(create().await, Outcome::Done(_)));
    let once_with = async |key: &str, body: &[u8]| {
        let render = |done: &PutDone| done.version.to_string().into_bytes();
        let request = Idempotency { key, method: "POST", path: "/v1/…/versions", body, render: &render };
        let put = room.engine().put(&session, path("/a")).await.expect("allowed");
        match put.run(string(b"x"), Some(request)).await.expect("puts") {
            Outcome::Done(done) => (true, done.version.get()),
            Outcome::Repeated(answer) => (false, String::from_utf8_lossy(&answer).parse().expect("a number")),
        }
    };
    let once = async |key: &str| once_with(key, b"x").await;
    assert_eq!(once("k").await, (true, 2));
    assert_eq!(once("k").await, (false, 2), "its own is remembered");
    assert_eq!(once("other").await, (true, 3));
    assert_eq!(once("k").await, (false, 2), "version 2 is gone, its answer is not");
    assert_eq!(once_with("k", b"another").await, (false, 2), "nothing tells of its body any more");
    assert!(matches!(create().await, Outcome::Repeated(answer) if answer == b"created"));
    assert_eq!(active(&world, &room, &session).await, [3]);
    assert_eq!(once("other").await, (false, 3));
}
