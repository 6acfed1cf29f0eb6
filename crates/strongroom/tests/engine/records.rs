use crate::support::{World, code, create, key};
use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom::domain::audit::RequestInfo;
use strongroom::domain::id::RequestId;
use strongroom::domain::path::Directory;
use strongroom::domain::port::{CommitErrorKind, KeyFilter, ReadErrorKind};
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
    let failed = ("secret.list", "failure", 503);
    assert_eq!(world.log_after(before).await, [failed, failed]);

    let before = world.records().await.len();
    let first = list.page(None, 1, &BTreeMap::new()).await.expect("reads");
    list.page(first.next, 1, &BTreeMap::new()).await.expect("reads");
    browse.page(None, 10, &BTreeMap::new()).await.expect("reads");
    keys.run(KeyFilter::default()).await.expect("reads");
    let listed = ("secret.list", "success", 200);
    assert_eq!(world.log_after(before).await, [listed, listed, ("kms.list", "success", 200)], "all pages are one");
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
    assert_eq!(last.decided_by.as_deref(), Some("missing_credentials, and 3 more before"));
    assert_eq!(last.request.and_then(|request| request.client), client);
}
