use super::lane::{Job, Lane, Task};
use super::lease::{LeaseCall, LeaseClock};
use crate::accesses::Accesses;
use crate::error::OpenError;
use crate::metrics::Room;
use crate::options::OpenOptions;
use crate::weight;
use async_trait::async_trait;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::lease::{Lease, LeaseName, LeaseTtl, Renewal};
use strongroom_domain::port::{
    Access, AccessError, AccessErrorKind, AccessLog, AuditLog, AuditSigner, CommitError, CommitErrorKind, Committer,
    IdGenerator, LeaseError, LeaseErrorKind, Leases,
};
use strongroom_domain::unit::Unit;
use tokio::sync::oneshot;
use uuid::Uuid;

const STOPPED: &str = "the store is stopping";
const LOST: &str = "the store stopped before it answered";
/// About what a lease takes in the queue, in bytes.
const LEASE_WEIGHT: u32 = 256;

/// The writing side of a store: hands everything to the lane, and waits for its answer.
///
/// What was handed over is written even when the caller stops waiting; while the queue is full, callers wait before that.
///
/// Dropping it ends the lane too, after what was queued is written; that blocks the thread for as long as it takes.
pub struct SqliteWriter {
    queue: Mutex<Option<Sender<Job>>>,
    /// Room for what callers wait for.
    changes: Room,
    /// Room for records that nobody waits for. Of its own, so that a full disk, where these pile up, is told to the others.
    records: Room,
    lane: Mutex<Option<JoinHandle<()>>>,
}

impl SqliteWriter {
    pub(super) fn start(
        options: &OpenOptions,
        accesses: Arc<Accesses>,
        signer: Arc<dyn AuditSigner>,
        ids: Arc<dyn IdGenerator>,
        lease_clock: LeaseClock,
    ) -> Result<Self, OpenError> {
        let (queue, jobs) = channel();
        let lane = Lane::open(options, accesses, jobs, signer, ids, lease_clock)?;
        let lane = std::thread::Builder::new()
            .name("strongroom-lane".to_owned())
            .spawn(|| lane.run())
            .map_err(|error| OpenError::Database(error.into()))?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            changes: Room::new("change", options.queue_bytes),
            records: Room::new("record", options.queue_bytes),
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

    async fn lease(&self, call: LeaseCall) -> Result<Option<Lease>, LeaseError> {
        let stopped = || LeaseError::new(LeaseErrorKind::Unavailable, STOPPED);
        let room = self.changes.take(LEASE_WEIGHT).await.ok_or_else(stopped)?;
        let (reply, answer) = oneshot::channel();
        if !self.send(Job { task: Task::Lease(call, reply), weight: LEASE_WEIGHT, _room: Some(room) }) {
            return Err(stopped());
        }
        answer.await.unwrap_or_else(|_| Err(LeaseError::new(LeaseErrorKind::OutcomeUnknown, LOST)))
    }

    fn send(&self, job: Job) -> bool {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.as_ref().is_some_and(|queue| queue.send(job).is_ok())
    }
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
        let weight = weight::of_unit(&unit);
        let room = self.changes.take(weight).await.ok_or_else(stopped)?;
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
        let weight = weight::of_access(&access);
        let room = self.changes.take(weight).await.ok_or_else(stopped)?;
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
        let weight = weight::of_record(&record);
        let room = self.records.take(weight).await.ok_or_else(stopped)?;
        let job = Job { task: Task::Record(Box::new(record.into())), weight, _room: Some(room) };
        if self.send(job) { Ok(()) } else { Err(stopped()) }
    }
}

#[async_trait]
impl Leases for SqliteWriter {
    async fn acquire(&self, name: LeaseName, holder: Uuid, ttl: LeaseTtl) -> Result<Option<Lease>, LeaseError> {
        self.lease(LeaseCall::Acquire(name, holder, ttl)).await
    }

    async fn renew(&self, lease: &Lease, ttl: LeaseTtl) -> Result<Renewal, LeaseError> {
        Ok(self.lease(LeaseCall::Renew(*lease, ttl)).await?.map_or(Renewal::Lost, Renewal::Held))
    }

    async fn release(&self, lease: &Lease) -> Result<(), LeaseError> {
        self.lease(LeaseCall::Release(*lease)).await.map(|_| ())
    }
}
