//! The export of the audit log to clients that take it slowly, and from a store that fails meanwhile.

use crate::support::{ADMIN, PEER, Room};
use async_trait::async_trait;
use bytes::Bytes;
use core::sync::atomic::{AtomicUsize, Ordering};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use std::sync::Arc;
use strongroom_domain::audit::{Action, AuditRecord, ChainedRecord};
use strongroom_domain::id::{OrganisationId, StreamId};
use strongroom_domain::port::{AuditLog, AuditReader, ReadError, ReadErrorKind};
use strongroom_http::ResponseBody;
use strongroom_testkit::{AlterLog, AlteredLog, build};
use uuid::Uuid;

/// How many records one part of an export has.
const AT_ONCE: usize = 500;
const PARTS: usize = 10;

/// A log that counts how many records are looked up, and fails after some.
struct Counting {
    inner: Arc<dyn AuditReader>,
    looked_up: AtomicUsize,
    /// The failing one is the first beyond these.
    sound: AtomicUsize,
}

#[async_trait]
impl AlterLog for Counting {
    fn log(&self) -> &dyn AuditReader {
        &*self.inner
    }

    async fn at(&self, places: &[(StreamId, u64)]) -> Result<Vec<Option<ChainedRecord>>, ReadError> {
        let before = self.looked_up.fetch_add(places.len(), Ordering::Relaxed);
        if before + places.len() > self.sound.load(Ordering::Relaxed) {
            return Err(ReadError::new(ReadErrorKind::Unavailable, "planned"));
        }
        self.inner.at(places).await
    }
}

/// A room whose organisation has so many parts of records.
async fn filled() -> (Room, Arc<Counting>) {
    let mut log = None;
    let room = Room::with_log(|inner| {
        let (looked_up, sound) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        let counting = Arc::new(Counting { inner, looked_up, sound });
        log = Some(counting.clone());
        Arc::new(AlteredLog(counting))
    })
    .await;
    let organisation = Some(OrganisationId::new(Uuid::from_u128(1)));
    for _ in 0..PARTS * AT_ONCE {
        let record = AuditRecord { organisation, ..build::record(Action::SecretList) };
        room.gate.enqueue(record).await.expect("queues");
    }
    while room.engine.index_audit(2_000).await.expect("indexes").more {}
    (room, log.expect("set"))
}

async fn begin(room: &Room) -> Response<ResponseBody> {
    let request =
        Request::get("/v1/audit/export?action=secret.list").header("authorization", format!("Bearer {ADMIN}"));
    room.api.handle(request.body(Full::new(Bytes::new())).expect("a request"), PEER).await
}

/// Nor does the server keep more of it than that, however long it is.
#[tokio::test]
async fn an_export_is_read_no_faster_than_it_is_taken() {
    let (room, log) = filled().await;
    let response = begin(&room).await;
    assert_eq!(response.status(), 200);
    let (mut body, mut text, mut parts) = (response.into_body(), Vec::new(), 0);
    loop {
        // As far as the server comes.
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        // Each record of the log is looked up, and the one before it.
        let read = log.looked_up.load(Ordering::Relaxed) / (2 * AT_ONCE);
        assert!(read <= parts + 3, "{read} parts were read when {parts} were taken");
        let Some(frame) = body.frame().await else { break };
        let part = frame.expect("no fault").into_data().expect("data");
        assert!(part.iter().filter(|byte| **byte == b'\n').count() <= AT_ONCE + 2);
        text.extend_from_slice(&part);
        parts += 1;
    }
    assert!(parts >= PARTS, "{parts}");
    let text = String::from_utf8(text).expect("text");
    assert_eq!(text.lines().count(), PARTS * AT_ONCE + 2);
    let end: serde_json::Value = serde_json::from_str(text.lines().last().expect("an end")).expect("JSON");
    assert_eq!((&end["type"], &end["records"]), (&"end".into(), &(PARTS * AT_ONCE).into()), "{end}");
}

#[tokio::test]
async fn an_export_that_can_not_be_read_on_is_cut_off() {
    let (room, log) = filled().await;
    log.sound.store(5 * AT_ONCE, Ordering::Relaxed);
    let response = begin(&room).await;
    assert_eq!(response.status(), 200);
    let (mut body, mut text, mut broken) = (response.into_body(), Vec::new(), false);
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => text.extend_from_slice(&frame.into_data().expect("data")),
            Err(_) => broken = true,
        }
    }
    assert!(broken, "nobody may take it for whole");
    let text = String::from_utf8(text).expect("text");
    assert_eq!(text.lines().count(), 1 + 2 * AT_ONCE, "its beginning, and what could be read");
    assert!(!text.contains(r#""type":"end""#));
    // Where nothing was sent yet, the client is told.
    assert_eq!(begin(&room).await.status(), 503);
}
