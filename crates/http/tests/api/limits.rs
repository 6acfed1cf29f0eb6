//! What an operator lets the server take on: requests at once, and requests of one principal per second.

use crate::documented;
use crate::support::{ADMIN, Gate, READ_SCOPE, READER, Room, assert_error, cause};
use bytes::Bytes;
use core::convert::Infallible;
use core::num::{NonZeroU32, NonZeroUsize};
use core::pin::Pin;
use core::time::Duration;
use futures_util::{FutureExt, Stream, StreamExt};
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use serde_json::{Value, json};
use strongroom_http::{ResponseBody, Settings};
use tokio::sync::oneshot;

const REVEAL: &str = "/v1/secrets/nl-01/secret/a/value";
const PUT: &str = "/v1/secrets/nl-01/secret/a/versions";

async fn still_room_for(requests: u32) -> Room {
    let settings = Settings { max_in_flight: NonZeroU32::new(requests), ..Settings::default() };
    let room = Room::with_still_clock(settings).await;
    room.secret("/a").await;
    room
}

async fn room_for(requests: u32) -> Room {
    let room = Room::with(Settings { max_in_flight: NonZeroU32::new(requests), ..Settings::default() }).await;
    room.secret("/a").await;
    room
}

type Answering<'a> = Pin<Box<dyn Future<Output = Response<ResponseBody>> + Send + 'a>>;
type Chunks = Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>>;

/// A request whose body comes when the sender is used.
fn slow<'a>(room: &'a Room, url: &str) -> (oneshot::Sender<&'static str>, Answering<'a>) {
    let (sender, text) = oneshot::channel();
    let chunk = text.map(|text| Ok(Frame::data(Bytes::from_static(text.unwrap_or("").as_bytes()))));
    let chunks: Chunks = Box::pin(chunk.into_stream());
    let request = Request::post(url).header("authorization", "Bearer admin").body(StreamBody::new(chunks));
    (sender, Box::pin(documented::begin(&room.api, request.expect("a request"))))
}

async fn is_full(room: &Room) -> bool {
    let reply = room.get("/v1/regions").await;
    if reply.status == 200 {
        return false;
    }
    assert_error(&reply, StatusCode::SERVICE_UNAVAILABLE, "overloaded");
    assert_eq!(reply.header("retry-after"), "1");
    true
}

#[tokio::test]
async fn requests_beyond_the_limit_are_refused_at_once() {
    let room = room_for(2).await;
    let (text, mut first) = slow(&room, REVEAL);
    let (_text, mut second) = slow(&room, REVEAL);
    assert!((&mut first).now_or_never().is_none());
    assert!(!is_full(&room).await);
    assert!((&mut second).now_or_never().is_none());
    assert!(is_full(&room).await);
    // Before credentials are looked at, and behind what costs nothing.
    assert_eq!(room.raw("GET /v1/regions", &[], "").await.status, 503);
    assert_eq!(room.get("/nothing").await.status, 404);
    for request in ["GET /healthz", "GET /readyz", "HEAD /healthz", "HEAD /readyz"] {
        assert_eq!(room.raw(request, &[], "").await.status, 200, "{request}");
    }
    text.send("{}").expect("it waits for its body");
    let answer = first.await;
    assert_eq!(answer.status(), 200);
    // The client has not taken the answer yet.
    assert!(is_full(&room).await);
    drop(answer);
    assert!(!is_full(&room).await);
    // A client that goes away makes room.
    let (_third_text, mut third) = slow(&room, REVEAL);
    assert!((&mut third).now_or_never().is_none());
    assert!(is_full(&room).await);
    drop(second);
    assert!(!is_full(&room).await);
}

#[tokio::test]
async fn a_stream_counts_until_its_end() {
    let room = room_for(1).await;
    let request = Request::get("/v1/secrets/nl-01/secrets?path=/").header("authorization", "Bearer admin");
    let answer = documented::begin(&room.api, request.body(Full::<Bytes>::default()).expect("a request")).await;
    assert_eq!(answer.status(), 200);
    assert!(is_full(&room).await);
    let mut chunks = Box::pin(http_body_util::BodyStream::new(answer.into_body()));
    while let Some(chunk) = chunks.next().await {
        assert!(chunk.is_ok());
    }
    drop(chunks);
    assert!(!is_full(&room).await);
}

#[tokio::test]
async fn a_change_counts_until_it_is_done_also_when_its_client_has_gone() {
    let room = room_for(1).await;
    // Told of the commits so far.
    room.gate.reached.notified().await;
    room.gate.close();
    let (text, mut put) = slow(&room, PUT);
    text.send(r#"{"secretString":"YQ=="}"#).expect("it waits for its body");
    tokio::select! {
        () = room.gate.reached.notified() => {}
        _ = &mut put => panic!("the store holds it"),
    }
    drop(put);
    tokio::task::yield_now().await;
    assert!(is_full(&room).await);
    room.gate.open();
    let mut turns = 0..1_000;
    while is_full(&room).await {
        assert!(turns.next().is_some(), "the place never came back");
        tokio::task::yield_now().await;
    }
    assert_eq!(room.get("/v1/secrets/nl-01/secret/a").await.json()["currentVersion"], 2);
}

#[tokio::test]
async fn failures_and_panics_make_room() {
    let room = room_for(1).await;
    for _ in 0..3 {
        assert_eq!(room.call("wrong", "GET /v1/regions", Value::Null).await.status, 401);
        assert_eq!(room.get("/v1/secrets/nl-01/secret/none").await.status, 404);
    }
    room.gate.broken.store(true, core::sync::atomic::Ordering::Relaxed);
    assert_eq!(room.admin(&format!("POST {PUT}"), json!({ "secretString": "YQ==" })).await.status, 500);
    assert!(!is_full(&room).await);
}

#[tokio::test]
async fn a_failure_counts_until_its_record_is_queued() {
    let room = still_room_for(1).await;
    for url in [REVEAL, PUT] {
        let before = room.records_after(0).await.len();
        room.gate.log_places.forget_permits(Gate::OPEN);
        let (text, mut refused) = slow(&room, url);
        text.send("nonsense").expect("it waits for its body");
        for _ in 0..100 {
            assert!((&mut refused).now_or_never().is_none(), "{url}: answered before it was recorded");
            tokio::task::yield_now().await;
        }
        assert!(is_full(&room).await, "{url}");
        room.gate.log_places.add_permits(Gate::OPEN);
        let answer = refused.await;
        assert_eq!(answer.status(), 400, "{url}");
        assert_eq!(room.records_after(before).await.len(), 1, "{url}");
        drop(answer);
        assert!(!is_full(&room).await, "{url}");
    }
}

#[tokio::test]
async fn a_principal_has_so_many_requests_per_second() {
    let room = Room::with(Settings { max_per_second: NonZeroU32::new(3), ..Settings::default() }).await;
    room.clock.advance(Duration::from_secs(1));
    let before = room.records_after(0).await.len();
    for _ in 0..3 {
        assert_eq!(room.get("/v1/regions").await.status, 200);
    }
    for request in ["GET /v1/regions", "POST /v1/secrets/nl-01/secrets", "GET /v1/kms/summary"] {
        let refused = room.admin(request, Value::Null).await;
        assert_error(&refused, StatusCode::TOO_MANY_REQUESTS, "rate_limited");
        assert_eq!(refused.header("retry-after"), "1");
    }
    let records = room.records_after(before).await;
    let [record] = records.as_slice() else { panic!("one for all that second: {records:?}") };
    assert_eq!((record.outcome.as_str(), record.status), ("denied", 429));
    assert!(record.principal.is_some() && record.organisation.is_some());
    // Others have their own, and health has none.
    assert_eq!(room.call(READER, "GET /v1/regions", Value::Null).await.status, 200);
    assert_eq!(room.raw("GET /readyz", &[], "").await.status, 200);
    room.clock.advance(Duration::from_millis(400));
    assert_eq!(room.get("/v1/regions").await.status, 200);
    assert_eq!(room.get("/v1/regions").await.status, 429);
    room.clock.advance(Duration::from_secs(1));
    assert_eq!(room.get("/v1/regions").await.status, 200);
}

const VALUES: &str = "POST /v1/secrets/nl-01/values";

/// An answer with many values as its client gets it: unread.
async fn values(room: &Room, body: Value) -> Response<ResponseBody> {
    let request = Request::post("/v1/secrets/nl-01/values").header("authorization", "Bearer admin");
    documented::begin(&room.api, request.body(Full::<Bytes>::from(body.to_string())).expect("a request")).await
}

#[tokio::test(start_paused = true)]
async fn answers_with_many_values_share_so_much_memory() {
    // What a hundred values take at the most, and a little.
    let settings = Settings { max_bulk_bytes: NonZeroUsize::new((16 << 20) + 100), ..Settings::default() };
    let room = Room::with(settings).await;
    room.secret("/a").await;
    let before = room.records_after(0).await.len();
    let (few, below) = (json!({ "paths": ["/a"] }), json!({ "pathPrefix": "/" }));
    let absent = (1..100).map(|n| format!("/none/{n}"));
    let many = json!({ "paths": absent.chain(["/a".to_owned()]).collect::<Vec<_>>() });
    // Each answer holds what it really has, until its last byte has gone: also when hyper has taken the body apart.
    let first = values(&room, many.clone()).await;
    assert_eq!(first.status(), 200);
    let chunk = http_body_util::BodyExt::collect(first.into_body()).await.expect("a whole answer").to_bytes();
    let refused = room.admin(VALUES, many.clone()).await;
    assert_error(&refused, StatusCode::SERVICE_UNAVAILABLE, "overloaded");
    assert_eq!(refused.header("retry-after"), "1");
    // A refusal reveals nothing, and one value alone needs no share.
    let records = room.records_after(before).await;
    let read = records.iter().filter(|it| it.action.as_str() == "secret.value.read" && it.status == 200);
    assert_eq!(read.count(), 1, "{records:?}");
    assert_eq!(room.admin(&format!("POST {REVEAL}"), Value::Null).await.status, 200);
    // Less fits beside it, also where it is only known when it was listed how little there is.
    assert_eq!(values(&room, few).await.status(), 200);
    assert_eq!(values(&room, below.clone()).await.status(), 200);
    // Who waits gets its share when it comes back.
    let mut waiting = Box::pin(room.admin(VALUES, many.clone()));
    assert!((&mut waiting).now_or_never().is_none());
    drop(chunk);
    assert_eq!(waiting.await.status, 200);
    // Clients that go away, and calls that are refused, take nothing along.
    for _ in 0..3 {
        drop(values(&room, many.clone()).await);
        drop(values(&room, below.clone()).await);
        let twice = json!({ "paths": ["/a", "/a"] });
        assert_eq!(values(&room, twice).await.status(), 400);
    }
    assert_eq!(room.admin(VALUES, many).await.status, 200);
}

/// Nor is it said only that they were listed.
#[tokio::test(start_paused = true)]
async fn values_below_a_directory_that_find_no_memory_leave_a_record() {
    let settings = Settings { max_bulk_bytes: NonZeroUsize::new(1), ..Settings::default() };
    let room = Room::with(settings).await;
    room.secret("/a").await;
    let below = json!({ "pathPrefix": "/" });
    let first = values(&room, below.clone()).await;
    assert_eq!(first.status(), 200);
    let before = room.records_after(0).await.len();
    let refused = room.admin(VALUES, below).await;
    assert_error(&refused, StatusCode::SERVICE_UNAVAILABLE, "overloaded");
    room.engine.record_counted_failures().await.expect("records");
    let records = room.records_after(before).await;
    let told: Vec<_> = records.iter().map(|it| (it.action.as_str(), it.status, cause(it).1)).collect();
    assert_eq!(told, [("secret.list", 200, 1), ("secret.value.read", 503, 1)]);
    drop(first);
}

#[tokio::test]
async fn ten_values_at_once_count_as_a_request() {
    let room = Room::with(Settings { max_per_second: NonZeroU32::new(3), ..Settings::default() }).await;
    room.secret("/a").await;
    room.clock.advance(Duration::from_secs(1));
    let paths = |count: usize| json!({ "paths": (0..count).map(|n| format!("/s{n}")).collect::<Vec<_>>() });
    assert_eq!(room.admin(VALUES, paths(20)).await.status, 200);
    let before = room.records_after(0).await.len();
    let refused = room.admin(VALUES, paths(11)).await;
    assert_error(&refused, StatusCode::TOO_MANY_REQUESTS, "rate_limited");
    assert_eq!(refused.header("retry-after"), "1");
    let records = room.records_after(before).await;
    let [record] = records.as_slice() else { panic!("no value was asked for: {records:?}") };
    assert_eq!((record.action.as_str(), record.outcome.as_str(), record.status), ("secret.value.read", "denied", 429));
    // All that may be sent in a second is enough for any call, and then nothing is left.
    room.clock.advance(Duration::from_secs(1));
    assert_eq!(room.admin(VALUES, paths(100)).await.status, 200);
    assert_eq!(room.get("/v1/regions").await.status, 429);
    // Below a directory those count that are there, not the limit.
    for body in [paths(10), json!({ "pathPrefix": "/" })] {
        room.clock.advance(Duration::from_secs(1));
        for _ in 0..3 {
            assert_eq!(room.admin(VALUES, body.clone()).await.status, 200, "{body}");
        }
    }
    for n in 0..30 {
        room.clock.advance(Duration::from_secs(1));
        room.secret(&format!("/many/{n}")).await;
    }
    room.clock.advance(Duration::from_secs(1));
    assert_eq!(room.get("/v1/regions").await.status, 200);
    assert_eq!(room.admin(VALUES, json!({ "pathPrefix": "/many/" })).await.code(), "rate_limited");
    assert_eq!(room.admin(VALUES, json!({ "pathPrefix": "/none/" })).await.status, 200);
}

#[tokio::test]
async fn the_rate_stands_between_credentials_and_scope() {
    let room = Room::with(Settings { max_per_second: NonZeroU32::new(1), ..Settings::default() }).await;
    room.clock.advance(Duration::from_secs(1));
    for _ in 0..3 {
        assert_eq!(room.call("wrong", "GET /v1/regions", Value::Null).await.status, 401);
    }
    let write = format!("POST {PUT}");
    assert_eq!(room.call(READ_SCOPE, &write, Value::Null).await.code(), "insufficient_scope");
    assert_eq!(room.call(READ_SCOPE, &write, Value::Null).await.code(), "rate_limited");
    assert_eq!(room.call(ADMIN, "GET /v1/regions", Value::Null).await.status, 200);
}

#[tokio::test]
async fn refusals_beyond_the_first_of_a_second_are_counted() {
    let room = Room::with(Settings { max_per_second: NonZeroU32::new(1), ..Settings::default() }).await;
    room.clock.advance(Duration::from_secs(1));
    assert_eq!(room.get("/v1/kms/summary").await.status, 200);
    let before = room.records_after(0).await.len();
    for _ in 0..5 {
        assert_eq!(room.get("/v1/kms/summary").await.status, 429);
    }
    assert_eq!(room.records_after(before).await.len(), 1);
    room.clock.advance(Duration::from_secs(1));
    room.engine.housekeeping().await.expect("records");
    let records = room.records_after(before + 1).await;
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(record.action.as_str(), "kms.list");
    assert_eq!(cause(record), ("rate_limited".to_owned(), 4));
}

#[tokio::test]
async fn what_is_refused_before_anyone_is_known_is_counted() {
    let room = Room::with(Settings { max_in_flight: NonZeroU32::new(1), ..Settings::default() }).await;
    room.secret("/a").await;
    let before = room.records_after(0).await.len();
    assert_eq!(room.get("/v1/secrets/nl-01/secret/a//b").await.status, 400);
    room.clock.advance(Duration::from_secs(1));
    room.engine.housekeeping().await.expect("records");
    let records = room.records_after(before).await;
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((record.action.as_str(), record.outcome.as_str(), record.status), ("auth.failure", "failure", 400));
    assert_eq!(record.decided_by.as_deref(), Some("invalid_path"));
    assert_eq!(record.principal, None);

    room.gate.close();
    let (_text, mut put) = slow(&room, PUT);
    assert!((&mut put).now_or_never().is_none());
    for (url, status) in [("/v1/kms/summary", 503), ("/v1/secrets/nl-01/secret/a%2Fb", 400), ("/v1/kms/summary", 503)] {
        assert_eq!(room.get(url).await.status, status, "{url}");
    }
    let before = room.records_after(0).await.len();
    room.engine.record_counted_failures().await.expect("records");
    let records = room.records_after(before).await;
    let mut causes: Vec<_> = records.iter().map(|it| (it.status, cause(it))).collect();
    causes.sort();
    let expected = [(400, ("invalid_request".to_owned(), 1)), (503, ("overloaded".to_owned(), 2))];
    assert_eq!(causes, expected);
}

/// Neither a place nor the truth is lost when the audit log has no room for the record of a refusal.
#[tokio::test]
async fn a_refusal_that_cannot_be_recorded_is_told_so_in_time_and_counted() {
    let room = still_room_for(1).await;
    for request in ["POST /v1/secrets/nl-01/secret/none/versions", "POST /v1/secrets/nl-01/secret/none/value"] {
        let before = room.records_after(0).await.len();
        room.gate.log_places.forget_permits(Gate::OPEN);
        let mut refused = Box::pin(room.admin(request, json!({ "secretString": "YQ==" })));
        while room.clock.sleepers() == 0 {
            assert!((&mut refused).now_or_never().is_none(), "{request}: answered before it was recorded");
            tokio::task::yield_now().await;
        }
        room.clock.advance(Duration::from_secs(10));
        let answer = refused.await;
        assert_error(&answer, StatusCode::SERVICE_UNAVAILABLE, "store_unavailable");
        assert!(answer.message().contains("audit log"), "{}", answer.message());
        assert!(!is_full(&room).await, "{request}");
        room.gate.log_places.add_permits(Gate::OPEN);
        room.engine.record_counted_failures().await.expect("records");
        let records = room.records_after(before).await;
        let [record] = records.as_slice() else { panic!("{request}: {records:?}") };
        // What the caller heard.
        assert_eq!((record.status, record.decided_by.as_deref()), (503, Some("store_unavailable")), "{request}");
    }
}

/// What waits for room in the log is counted once, however many rounds try to record it, and whoever is refused hears so at once.
#[tokio::test]
async fn counts_stay_right_while_the_log_has_no_room() {
    let room = still_room_for(1).await;
    let before = room.records_after(0).await.len();
    room.gate.log_places.forget_permits(Gate::OPEN);
    for _ in 0..3 {
        assert_eq!(room.call("wrong", "GET /v1/regions", Value::Null).await.status, 401);
    }
    assert_eq!(room.get("/v1/secrets/nl-01/secret/a//b").await.status, 400);
    for _ in 0..3 {
        let mut recording = Box::pin(room.engine.record_counted_failures());
        while room.clock.sleepers() == 0 {
            assert!((&mut recording).now_or_never().is_none(), "the log has no room");
            tokio::task::yield_now().await;
        }
        room.clock.advance(Duration::from_secs(10));
        assert!(recording.await.is_err());
        assert_eq!(room.engine.counted_failures(), 4);
    }
    room.gate.log_places.add_permits(Gate::OPEN);
    room.engine.record_counted_failures().await.expect("records");
    let records = room.records_after(before).await;
    let mut told: Vec<_> = records.iter().map(|it| (it.status, cause(it))).collect();
    told.sort();
    let expected = [(400, ("invalid_path".to_owned(), 1)), (401, ("invalid_credentials".to_owned(), 3))];
    assert_eq!(told, expected);
}

/// Nor does leaving early spare a caller the record of what they tried.
#[tokio::test]
async fn a_refusal_whose_caller_leaves_before_it_is_recorded_is_counted() {
    let room = still_room_for(1).await;
    let before = room.records_after(0).await.len();
    room.gate.log_places.forget_permits(Gate::OPEN);
    let mut refused = Box::pin(room.admin("POST /v1/secrets/nl-01/secret/none/value", Value::Null));
    while room.clock.sleepers() == 0 {
        assert!((&mut refused).now_or_never().is_none(), "the log has no room");
        tokio::task::yield_now().await;
    }
    drop(refused);
    assert_eq!(room.engine.counted_failures(), 1);
    room.gate.log_places.add_permits(Gate::OPEN);
    room.engine.record_counted_failures().await.expect("records");
    let records = room.records_after(before).await;
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((record.action.as_str(), record.status), ("secret.value.read", 503));
}

/// Those that take too long while their records wait are told once each, as their callers heard it, and take nothing from the count of
/// one whose caller left.
#[tokio::test(start_paused = true)]
async fn reads_that_are_cut_short_while_their_records_wait_are_told_once_each() {
    let settings = Settings { request_timeout: Duration::from_secs(5), ..Settings::default() };
    let room = Room::with_still_clock(settings).await;
    let before = room.records_after(0).await.len();
    room.gate.log_places.forget_permits(Gate::OPEN);
    let room = &room;
    let read = |path: &'static str| {
        Box::pin(async move { room.admin(&format!("POST /v1/secrets/nl-01/secret/{path}/value"), Value::Null).await })
    };
    let mut left = read("left");
    while room.clock.sleepers() == 0 {
        assert!((&mut left).now_or_never().is_none(), "the log has no room");
        tokio::task::yield_now().await;
    }
    let (first, second, ()) = tokio::join!(read("first"), read("second"), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(left);
    });
    for answer in [first, second] {
        assert_error(&answer, StatusCode::SERVICE_UNAVAILABLE, "timed_out");
    }
    assert_eq!(room.engine.counted_failures(), 3);
    room.gate.log_places.add_permits(Gate::OPEN);
    room.engine.record_counted_failures().await.expect("records");
    let records = room.records_after(before).await;
    let mut told: Vec<_> =
        records.iter().map(|it| (cause(it), it.resource.as_ref().map(|resource| resource.identity.as_str()))).collect();
    told.sort();
    assert_eq!(told[0], (("store_unavailable".to_owned(), 1), Some("/left")));
    assert_eq!((told.len(), &told[1].0), (2, &("timed_out".to_owned(), 2)));
}
