use crate::support::{World, bytes, cause, code, create, key, path, put, rule, user};
use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom::domain::audit::RequestInfo;
use strongroom::domain::id::RequestId;
use strongroom::domain::path::Directory;
use strongroom::domain::port::{CommitErrorKind, KeyFilter, ReadErrorKind};
use strongroom::secret::CreateInput;
use strongroom::{Code, Error};
use strongroom_testkit::{Faulty, When};
use uuid::Uuid;

#[tokio::test]
async fn a_list_is_recorded_once_it_was_read() {
    let world = World::new();
    let faulty = Arc::new(Faulty::new(Arc::clone(&world.store)));
    let room = world.node_over(Arc::clone(&faulty)).await;
    let (session, engine) = (room.session(), room.engine());
    let key = key(&room, &session, "app").await;
    for path in ["/a", "/b"] {
        create(&room, &session, path, &key, b"x").await.expect("creates");
    }
    let before = world.records().await.len();
    let root: Directory = "/".parse().expect("legal");
    let list = engine.list(&session, &root).await.expect("allowed");
    let browse = engine.browse(&session, &root).await.expect("allowed");
    let keys = engine.keys(&session).await.expect("allowed");
    assert_eq!(world.log_after(before).await, [], "nothing was read");

    faulty.reads.fail(When::Before, ReadErrorKind::Unavailable);
    assert_eq!(code(list.page(None, 1, &BTreeMap::new()).await), Some(Code::StoreUnavailable));
    faulty.reads.fail(When::Before, ReadErrorKind::Unavailable);
    assert_eq!(code(browse.page(None, 1, &BTreeMap::new()).await), Some(Code::StoreUnavailable));
    assert_eq!(world.log_after(before).await, [], "a fault on our side is counted");
    engine.housekeeping().await.expect("records");
    assert_eq!(world.log_after(before).await, [("secret.list", "failure", 503)]);
    let last = world.records().await.pop().expect("a record");
    assert_eq!(cause(&last), ("store_unavailable", 2));

    let before = world.records().await.len();
    let first = list.page(None, 1, &BTreeMap::new()).await.expect("reads");
    list.page(first.next, 1, &BTreeMap::new()).await.expect("reads");
    browse.page(None, 10, &BTreeMap::new()).await.expect("reads");
    keys.run(KeyFilter::default()).await.expect("reads");
    let listed = ("secret.list", "success", 200);
    assert_eq!(world.log_after(before).await, [listed, listed, ("kms.list", "success", 200)], "all pages are one");
}

/// A full disk refuses every put for as long as it lasts: what is kept of them must not grow, nor must anyone wait for it.
#[tokio::test]
async fn puts_on_a_full_disk_are_counted() {
    let world = World::new();
    let faulty = Arc::new(Faulty::new(Arc::clone(&world.store)));
    let room = world.node_over(Arc::clone(&faulty)).await;
    let session = room.session();
    let key = key(&room, &session, "app").await;
    create(&room, &session, "/a", &key, b"1").await.expect("creates");
    let before = world.records().await.len();
    for _ in 0..5 {
        faulty.commits.fail(When::Before, CommitErrorKind::Full);
        assert_eq!(code(put(&room, &session, "/a", b"2").await), Some(Code::StorageFull));
    }
    faulty.commits.fail(When::Before, CommitErrorKind::Unavailable);
    assert_eq!(code(put(&room, &session, "/a", b"2").await), Some(Code::StoreUnavailable));
    assert_eq!(world.log_after(before).await, [], "none of them is queued");
    room.engine().housekeeping().await.expect("records");
    let failed = ("secret.value.write", "failure", 503);
    assert_eq!(world.log_after(before).await, [failed, failed]);
    let records = world.records().await;
    let told: Vec<_> = records[before..].iter().map(|record| (record.principal, cause(record))).collect();
    let principal = Some(session.caller().principal);
    assert_eq!(told, [(principal, ("storage_full", 5)), (principal, ("store_unavailable", 1))]);
}

/// The caller hears that there is no such key; the log tells that a rule was missing.
#[tokio::test]
async fn a_create_under_a_key_that_the_caller_may_not_use_is_recorded_as_denied() {
    let world = World::new();
    let room = world.node().await;
    let key = key(&room, &room.session(), "app").await;
    let keyless = room.session_with(user(), [rule("secret", &[], &["*"])]);
    let before = world.records().await.len();
    assert_eq!(code(create(&room, &keyless, "/a", &key, b"1").await), Some(Code::KeyNotFound));
    assert_eq!(world.log_after(before).await, [("secret.create", "denied", 404)]);
    let record = world.records().await.pop().expect("a record");
    assert_eq!(record.decided_by.as_deref(), Some("no rule on the key"));

    let owner = room.session();
    let input = CreateInput { key: "kms-none".to_owned(), ..CreateInput::string(&key, bytes(b"1")) };
    let missing = room.engine().create(&owner, path("/a")).await.expect("allowed").run(input, None).await;
    assert_eq!(code(missing), Some(Code::KeyNotFound));
    assert_eq!(world.log_after(before + 1).await, [("secret.create", "failure", 404)], "there is none");
}

#[tokio::test]
async fn a_burst_of_refused_credentials_that_stops_is_recorded() {
    let world = World::new();
    let faulty = Arc::new(Faulty::new(Arc::clone(&world.store)));
    let room = world.node_over(Arc::clone(&faulty)).await;
    let client = Some(IpAddr::from([192, 0, 2, 1]));
    let request = Arc::new(RequestInfo { client, ..RequestInfo::embedded(RequestId::new(Uuid::nil())) });
    for _ in 0..5 {
        let refused = room.engine().authenticate(None, Arc::clone(&request)).await;
        assert_eq!(refused.err().map(|error: Error| error.code()), Some(Code::Unauthenticated));
    }
    room.engine().housekeeping().await.expect("nothing is due");
    let refused = ("auth.failure", "denied", 401);
    assert_eq!(world.log_after(0).await, [refused]);

    world.clock.advance(Duration::from_secs(1));
    faulty.records.fail(When::Before, CommitErrorKind::Unavailable);
    assert_eq!(code(room.engine().housekeeping().await), Some(Code::StoreUnavailable));
    for _ in 0..2 {
        room.engine().housekeeping().await.expect("records, once");
        assert_eq!(world.log_after(0).await, [refused, refused]);
    }
    let last = world.records().await.pop().expect("two");
    assert_eq!(cause(&last), ("missing_credentials", 4));
    assert_eq!(last.request.and_then(|request| request.client), client);
}
