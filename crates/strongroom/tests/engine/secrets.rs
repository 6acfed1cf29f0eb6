use crate::support::{World, bytes, code, create, key, number, path, put, reveal, reveal_version, string};
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom::domain::path::Directory;
use strongroom::domain::value::{KeyValues, SecretValue};
use strongroom::domain::version::{VersionNumber, VersionSelector, VersionStatus};
use strongroom::secret::{BrowseView, MetadataPatch, PutInput, VersionPage};
use strongroom::{Code, Idempotency, Limits, Outcome, ValueInput};
use strongroom_testkit::Faulty;

#[tokio::test]
async fn a_life() {
    let world = World::new();
    let room = world.node().await;
    let session = room.session();
    let key = key(&room, &session, "app").await;
    create(&room, &session, "/app/db", &key, b"one").await.expect("creates");
    assert_eq!(reveal(&room, &session, "/app/db").await.ok(), Some((1, b"one".to_vec())));
    assert_eq!(put(&room, &session, "/app/db", b"two").await.ok(), Some(2));
    assert_eq!(put(&room, &session, "/app/db", b"").await.ok(), Some(3));
    assert_eq!(reveal(&room, &session, "/app/db").await.ok(), Some((3, Vec::new())));
    let second = VersionSelector::Number(number(2));
    assert_eq!(reveal_version(&room, &session, "/app/db", second).await.ok(), Some((2, b"two".to_vec())));

    let engine = room.engine();
    let destroy = async |n| engine.destroy(&session, path("/app/db")).await.expect("allowed").run(number(n)).await;
    destroy(3).await.expect("destroys");
    destroy(3).await.expect("again is fine");
    assert_eq!(code(destroy(9).await), Some(Code::VersionNotFound));
    assert_eq!(reveal(&room, &session, "/app/db").await.ok(), Some((2, b"two".to_vec())));
    let third = VersionSelector::Number(number(3));
    assert_eq!(code(reveal_version(&room, &session, "/app/db", third).await), Some(Code::VersionDestroyed));
    destroy(1).await.expect("destroys");
    destroy(2).await.expect("destroys");
    assert_eq!(code(reveal(&room, &session, "/app/db").await), Some(Code::NoActiveVersion));
    let view = engine.describe(&session, path("/app/db")).await.expect("allowed");
    let view = view.run(Some(VersionPage::default())).await.expect("reads");
    assert_eq!(view.secret.state.head.current, None);
    let versions = view.versions.expect("asked for");
    assert!(versions.iter().all(|version| matches!(version.status, VersionStatus::Destroyed { .. })));
    assert_eq!(put(&room, &session, "/app/db", b"four").await.ok(), Some(4), "numbers are never reused");

    engine.delete(&session, path("/app/db")).await.expect("allowed").run().await.expect("deletes");
    assert_eq!(code(reveal(&room, &session, "/app/db").await), Some(Code::SecretNotFound));
    create(&room, &session, "/app/db", &key, b"anew").await.expect("the path is free");
    assert_eq!(reveal(&room, &session, "/app/db").await.ok(), Some((1, b"anew".to_vec())));
}

#[tokio::test]
async fn a_secret_is_deleted_only_as_it_was_seen() {
    let world = World::new();
    let faulty = Arc::new(Faulty::new(Arc::clone(&world.store)));
    let (room, other) = (world.node_over(Arc::clone(&faulty)).await, Arc::new(world.node().await));
    let session = room.session();
    let key = key(&room, &session, "app").await;
    create(&room, &session, "/a", &key, b"1").await.expect("creates");
    let delete =
        async |expected| room.engine().delete(&session, path("/a")).await.expect("allowed").run_if(expected).await;
    let current = async || {
        let view = room.engine().describe(&session, path("/a")).await.expect("allowed").run(None).await.expect("there");
        view.secret.state.head.current.map_or(0, VersionNumber::get)
    };

    // Somebody puts between the look and the deletion.
    let seen = current().await;
    put(&other, &session, "/a", b"2").await.expect("puts");
    let before = world.records().await.len();
    for wrong in [seen, 0, 3] {
        let refused = delete(wrong).await.expect_err("another version is current");
        assert_eq!(refused.code(), Code::VersionMismatch);
        assert!(refused.to_string().contains("nothing was deleted"), "{refused}");
    }
    assert_eq!(world.log_after(before).await, [("secret.delete", "failure", 412); 3]);
    // And between the decision and the commit.
    let (putter, caller) = (Arc::clone(&other), session.clone());
    faulty.before_commits.run(async move { assert!(put(&putter, &caller, "/a", b"3").await.is_ok()) });
    assert_eq!(code(delete(2).await), Some(Code::VersionMismatch));
    assert_eq!((faulty.before_commits.left(), current().await), (0, 3));
    assert_eq!(reveal(&room, &session, "/a").await.ok(), Some((3, b"3".to_vec())));

    delete(3).await.expect("it is as it was seen");
    assert_eq!(code(delete(3).await), Some(Code::SecretNotFound));
    create(&room, &session, "/a", &key, b"anew").await.expect("creates");
    room.engine().destroy(&session, path("/a")).await.expect("allowed").run(number(1)).await.expect("destroys");
    assert_eq!(code(delete(1).await), Some(Code::VersionMismatch));
    delete(0).await.expect("no version is active");
}

#[tokio::test]
async fn every_reveal_and_write_leaves_two_records() {
    let world = World::new();
    let room = world.node().await;
    let session = room.session();
    let key = key(&room, &session, "app").await;
    let before = world.records().await.len();
    create(&room, &session, "/a", &key, b"x").await.expect("creates");
    put(&room, &session, "/a", b"y").await.expect("puts");
    reveal(&room, &session, "/a").await.expect("reveals");
    assert_eq!(
        world.log_after(before).await,
        [
            ("secret.create", "success", 201),
            ("kms.encrypt", "success", 201),
            ("secret.value.write", "success", 201),
            ("kms.encrypt", "success", 201),
            ("secret.value.read", "success", 200),
            ("kms.decrypt", "success", 200),
        ]
    );
    let before = world.records().await.len();
    assert_eq!(code(create(&room, &session, "/a", &key, b"z").await), Some(Code::SecretExists));
    assert_eq!(code(reveal(&room, &session, "/none").await), Some(Code::SecretNotFound));
    assert_eq!(reveal(&room, &session, "/a").await.ok(), Some((2, b"y".to_vec())), "untouched");
    assert_eq!(
        world.log_after(before).await[..2],
        [("secret.create", "failure", 409), ("secret.value.read", "failure", 404)]
    );
}

#[tokio::test]
async fn key_values_and_generated_values() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let key = key(&room, &session, "app").await;
    create(&room, &session, "/a", &key, b"x").await.expect("creates");
    let mut values = KeyValues::default();
    values.insert("user", bytes(b"root")).expect("legal");
    values.insert("empty", bytes(b"")).expect("legal");
    let value = ValueInput::Value(SecretValue::KeyValue(values));
    let input = PutInput { value, expected: None };
    engine.put(&session, path("/a")).await.expect("allowed").run(input, None).await.expect("puts");
    let revealed = engine.reveal(&session, path("/a")).await.expect("allowed");
    let revealed = revealed.run(VersionSelector::Current).await.expect("reveals");
    let SecretValue::KeyValue(values) = revealed.value else { panic!("key-value") };
    let entries: Vec<_> = values.iter().map(|(name, value)| (name.to_owned(), value.expose().to_vec())).collect();
    assert_eq!(entries, [("empty".to_owned(), Vec::new()), ("user".to_owned(), b"root".to_vec())]);

    for len in [1, 32, 4096] {
        let input = PutInput { value: ValueInput::Generate(len), expected: None };
        engine.put(&session, path("/a")).await.expect("allowed").run(input, None).await.expect("puts");
        assert_eq!(reveal(&room, &session, "/a").await.expect("reveals").1.len(), len);
    }
}

#[tokio::test]
async fn limits_hold() {
    let mut world = World::new();
    world.limits = Limits { max_value_len: 1024, max_active_versions: 2, ..Limits::default() };
    let room = world.node().await;
    let session = room.session();
    let key = key(&room, &session, "app").await;
    create(&room, &session, "/a", &key, &[1; 1024]).await.expect("exactly the limit");
    assert_eq!(code(put(&room, &session, "/a", &[1; 1025]).await), Some(Code::ValueTooLarge));
    let generated = PutInput { value: ValueInput::Generate(1025), expected: None };
    let outcome = room.engine().put(&session, path("/a")).await.expect("allowed").run(generated, None).await;
    assert_eq!(code(outcome), Some(Code::ValueTooLarge));
    put(&room, &session, "/a", b"2").await.expect("puts");
    assert_eq!(code(put(&room, &session, "/a", b"3").await), Some(Code::TooManyVersions));
    room.engine().destroy(&session, path("/a")).await.expect("allowed").run(number(1)).await.expect("destroys");
    assert_eq!(put(&room, &session, "/a", b"3").await.ok(), Some(3));
}

#[tokio::test]
async fn check_and_set() {
    let world = World::new();
    let room = world.node().await;
    let session = room.session();
    let key = key(&room, &session, "app").await;
    create(&room, &session, "/a", &key, b"1").await.expect("creates");
    let expecting = async |expected| {
        let input = PutInput { expected: Some(expected), ..string(b"n") };
        room.engine().put(&session, path("/a")).await.expect("allowed").run(input, None).await
    };
    assert_eq!(code(expecting(0).await), Some(Code::VersionMismatch));
    assert_eq!(code(expecting(2).await), Some(Code::VersionMismatch));
    assert!(expecting(1).await.is_ok());
    for n in 1..=2 {
        room.engine().destroy(&session, path("/a")).await.expect("allowed").run(number(n)).await.expect("destroys");
    }
    assert!(expecting(0).await.is_ok(), "0 stands for none active");
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer() {
    let world = World::new();
    // Two nodes, so that nothing rests on one's memory.
    let rooms = [world.node().await, world.node().await];
    let session = rooms[0].session();
    let key = key(&rooms[0], &session, "app").await;
    create(&rooms[0], &session, "/a", &key, b"1").await.expect("creates");
    let put = async |node: usize, key: &str, body: &[u8]| {
        let request = Idempotency {
            key,
            method: "POST",
            path: "/v1/…/versions",
            body,
            render: &|done: &strongroom::secret::PutDone| done.version.to_string().into_bytes(),
        };
        let put = rooms[node].engine().put(&session, path("/a")).await.expect("allowed");
        put.run(string(body), Some(request)).await.map(|outcome| match outcome {
            Outcome::Done(done) => (true, done.version.to_string().into_bytes()),
            Outcome::Repeated(answer) => (false, answer),
        })
    };
    assert_eq!(put(0, "k", b"x").await.ok(), Some((true, b"2".to_vec())));
    assert_eq!(put(0, "k", b"x").await.ok(), Some((false, b"2".to_vec())));
    assert_eq!(put(1, "k", b"x").await.ok(), Some((false, b"2".to_vec())));
    assert_eq!(code(put(1, "k", b"y").await), Some(Code::IdempotencyMismatch));
    assert_eq!(put(1, "other", b"x").await.ok(), Some((true, b"3".to_vec())));
    assert_eq!(code(put(1, "", b"x").await), Some(Code::InvalidRequest));
    // A day later the key means a new request.
    world.clock.advance(core::time::Duration::from_secs(24 * 60 * 60 + 1));
    assert_eq!(put(0, "k", b"y").await.ok(), Some((true, b"4".to_vec())));
    // The answer outlives its version, and goes with its secret.
    rooms[0].engine().destroy(&session, path("/a")).await.expect("allowed").run(number(4)).await.expect("destroys");
    assert_eq!(put(0, "k", b"y").await.ok(), Some((false, b"4".to_vec())));
    rooms[0].engine().delete(&session, path("/a")).await.expect("allowed").run().await.expect("deletes");
    create(&rooms[0], &session, "/a", &key, b"1").await.expect("creates");
    assert_eq!(put(0, "k", b"y").await.ok(), Some((true, b"2".to_vec())));
}

#[tokio::test]
async fn metadata_changes_count_and_reveals_do_not() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let key = key(&room, &session, "app").await;
    create(&room, &session, "/a", &key, b"1").await.expect("creates");
    let describe = async || {
        let secret =
            engine.describe(&session, path("/a")).await.expect("allowed").run(None).await.expect("reads").secret;
        (secret.state.object_version, secret.state.updated_at, secret.last_accessed_at)
    };
    let first = describe().await;
    world.clock.advance(core::time::Duration::from_secs(5));
    reveal(&room, &session, "/a").await.expect("reveals");
    let (version, updated, accessed) = describe().await;
    assert_eq!((version, updated), (first.0, first.1));
    assert_eq!(accessed.map(|at| at.micros_since(crate::support::START)), Some(5_000_000));
    let patch = MetadataPatch { description: Some(Some("d".to_owned())), ..MetadataPatch::default() };
    let view = engine.patch(&session, path("/a")).await.expect("allowed").run(patch.into()).await.expect("patches");
    assert_eq!((view.secret.metadata.description(), view.secret.state.object_version), ("d", 2));
    assert!(describe().await.1 > first.1);
}

#[tokio::test]
async fn lists_and_directories_page() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let key = key(&room, &session, "app").await;
    for at in ["/app/b", "/app/db/x", "/app/db/y", "/app/db-x", "/apple", "/app", "/app/a/b/c"] {
        create(&room, &session, at, &key, b"v").await.expect("creates");
    }
    let directory: Directory = "/app".parse().expect("legal");
    let no_labels = BTreeMap::new();
    let mut browsed = Vec::new();
    let mut after = None;
    loop {
        let page = engine.browse(&session, &directory).await.expect("allowed");
        let page = page.page(after, 1, &no_labels).await.expect("browses");
        browsed.extend(page.items.into_iter().map(|entry| match entry {
            BrowseView::Directory(directory) => directory.to_string(),
            BrowseView::Secret(view) => view.secret.path.to_string(),
        }));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(browsed, ["/app/a/", "/app/b", "/app/db-x", "/app/db/"]);
    let list = engine.list(&session, &directory).await.expect("allowed");
    let page = list.page(None, 3, &no_labels).await.expect("lists");
    let paths = |page: &strongroom::secret::Page<strongroom::secret::SecretView>| -> Vec<String> {
        page.items.iter().map(|view| view.secret.path.to_string()).collect()
    };
    assert_eq!(paths(&page), ["/app/a/b/c", "/app/b", "/app/db-x"]);
    let page = list.page(page.next, 3, &no_labels).await.expect("lists");
    assert_eq!(paths(&page), ["/app/db/x", "/app/db/y"]);
    assert_eq!(page.next, None);
}
