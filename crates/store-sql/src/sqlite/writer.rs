use super::lane::{Job, Lane, RECORD_WEIGHT, Task, weight};
use crate::accesses::Accesses;
use crate::error::OpenError;
use crate::options::OpenOptions;
use async_trait::async_trait;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::port::{
    Access, AccessError, AccessErrorKind, AccessLog, AuditLog, AuditSigner, CommitError, CommitErrorKind, Committer,
    IdGenerator,
};
use strongroom_domain::unit::Unit;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

const STOPPED: &str = "the store is stopping";
const LOST: &str = "the store stopped before it answered";

/// The writing side of a store: hands everything to the lane, and waits for its answer.
///
/// What was handed over is written even when the caller stops waiting; while the queue is full, callers wait before that.
///
/// Dropping it ends the lane too, after what was queued is written; that blocks the thread for as long as it takes.
pub struct SqliteWriter {
    queue: Mutex<Option<Sender<Job>>>,
    /// Room for what callers wait for, in KiB.
    changes: Arc<Semaphore>,
    /// Room for records that nobody waits for. Of its own, so that a full disk, where these pile up, is told to the others.
    records: Arc<Semaphore>,
    room: u32,
    lane: Mutex<Option<JoinHandle<()>>>,
}

impl SqliteWriter {
    pub(super) fn start(
        options: &OpenOptions,
        accesses: Arc<Accesses>,
        signer: Arc<dyn AuditSigner>,
        ids: Arc<dyn IdGenerator>,
    ) -> Result<Self, OpenError> {
        let (queue, jobs) = channel();
        let lane = Lane::open(options, accesses, jobs, signer, ids)?;
        let lane = std::thread::Builder::new()
            .name("strongroom-lane".to_owned())
            .spawn(|| lane.run())
            .map_err(|error| OpenError::Database(error.into()))?;
        let room = kib(options.queue_bytes);
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            changes: Arc::new(Semaphore::new(room as usize)),
            records: Arc::new(Semaphore::new(room as usize)),
            room,
            lane: Mutex::new(Some(lane)),
        })
    }

    /// Writes what is queued, empties the log, and ends the lane. Later calls answer `Unavailable`.
    pub async fn close(&self) {
        self.changes.close();
        self.records.close();
        let (reply, closed) = oneshot::channel();
        if self.send(Job { task: Task::Close(reply), weight: 0, _room: None }) {
            // An error means that the lane has ended already.
            let _ = closed.await;
        }
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(lane) = self.lane.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = lane.join();
        }
    }

    /// Waits for room; `None` when the store is stopping.
    async fn room(&self, of: &Arc<Semaphore>, weight: u32) -> Option<OwnedSemaphorePermit> {
        Arc::clone(of).acquire_many_owned(kib(weight).min(self.room)).await.ok()
    }

    fn send(&self, job: Job) -> bool {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.as_ref().is_some_and(|queue| queue.send(job).is_ok())
    }
}

/// In KiB, rounded up, at least 1.
fn kib(bytes: u32) -> u32 {
    bytes.div_ceil(1024).max(1)
}

impl Drop for SqliteWriter {
    fn drop(&mut self) {
        self.queue.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(lane) = self.lane.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = lane.join();
        }
    }
}

#[async_trait]
impl Committer for SqliteWriter {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        let stopped = || CommitError::new(CommitErrorKind::Unavailable, STOPPED);
        let weight = weight(&unit);
        let room = self.room(&self.changes, weight).await.ok_or_else(stopped)?;
        let (reply, answer) = oneshot::channel();
        if !self.send(Job { task: Task::Commit(unit.into(), reply), weight, _room: Some(room) }) {
            return Err(stopped());
        }
        answer.await.unwrap_or_else(|_| Err(CommitError::new(CommitErrorKind::OutcomeUnknown, LOST)))
    }
}

#[async_trait]
impl AccessLog for SqliteWriter {
    async fn record(&self, access: Access) -> Result<(), AccessError> {
        let stopped = || AccessError::new(AccessErrorKind::Unavailable, STOPPED);
        let weight = 2 * RECORD_WEIGHT;
        let room = self.room(&self.changes, weight).await.ok_or_else(stopped)?;
        let (reply, answer) = oneshot::channel();
        if !self.send(Job { task: Task::Access(Some(Box::new(access.into())), reply), weight, _room: Some(room) }) {
            return Err(stopped());
        }
        answer.await.unwrap_or_else(|_| Err(AccessError::new(AccessErrorKind::OutcomeUnknown, LOST)))
    }
}

#[async_trait]
impl AuditLog for SqliteWriter {
    async fn enqueue(&self, record: AuditRecord) -> Result<(), CommitError> {
        let stopped = || CommitError::new(CommitErrorKind::Unavailable, STOPPED);
        let room = self.room(&self.records, RECORD_WEIGHT).await.ok_or_else(stopped)?;
        let job = Job { task: Task::Record(Box::new(record.into())), weight: RECORD_WEIGHT, _room: Some(room) };
        if self.send(job) { Ok(()) } else { Err(stopped()) }
    }
}
