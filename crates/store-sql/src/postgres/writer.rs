use super::lane::{Common, Flush, FlushCall, Job, Lane, Positions, Session, Task, aggregate};
use super::options::PostgresOptions;
use super::vacuum::Vacuum;
use crate::accesses::Accesses;
use crate::error::OpenError;
use crate::metrics::{Place, Room};
use crate::weight;
use async_trait::async_trait;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::port::{
    Access, AccessError, AccessErrorKind, AccessLog, AuditLog, AuditSigner, CommitError, CommitErrorKind, Committer,
    IdGenerator,
};
use strongroom_domain::unit::Unit;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

const STOPPED: &str = "the store is stopping";
const LOST: &str = "the store stopped before it answered";

/// The writing side of a store: hands everything to its lanes, and waits for their answer. What concerns one secret, key or organisation
/// takes the same lane.
///
/// What was handed over is written even when the caller stops waiting; while the queue is full, callers wait before that.
///
/// Dropping it ends the lanes too, after what was queued is written, without waiting for it.
pub struct PostgresWriter {
    queues: Mutex<Option<Queues>>,
    /// Room for what callers wait for.
    changes: Room,
    /// Room for records that nobody waits for. Of its own, so that a full disk, where these pile up, is told to the others.
    records: Room,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

struct Queues {
    lanes: Vec<UnboundedSender<Job>>,
    flush: UnboundedSender<FlushCall>,
    /// How many jobs were sent.
    sent: AtomicU64,
}

impl PostgresWriter {
    /// Starts the lanes, after the accesses that their table doesn't show yet were read again.
    pub(super) async fn start(
        options: &PostgresOptions,
        accesses: Arc<Accesses>,
        signer: Arc<dyn AuditSigner>,
        ids: Arc<dyn IdGenerator>,
    ) -> Result<Self, OpenError> {
        let positions = Arc::new(Positions::default());
        let mut flush = Flush::new(Session::new(options.clone()), Arc::clone(&accesses), Arc::clone(&positions));
        flush.recover().await?;
        let (flush_queue, calls) = unbounded_channel();
        let mut tasks = vec![tokio::spawn(flush.run(calls))];
        let (vacuum, vacuuming) = Vacuum::start(options.clone());
        let common = Common { accesses, positions, vacuum, _flush: flush_queue.clone() };
        let mut lanes = Vec::new();
        for _ in 0..options.lanes.max(1) {
            let (queue, jobs) = unbounded_channel();
            let (signer, ids) = (Arc::clone(&signer), Arc::clone(&ids));
            tasks.push(tokio::spawn(Lane::new(options.clone(), jobs, common.clone(), signer, ids).run()));
            lanes.push(queue);
        }
        tasks.push(vacuuming);
        Ok(Self {
            queues: Mutex::new(Some(Queues { lanes, flush: flush_queue, sent: AtomicU64::new(0) })),
            changes: Room::new("change", options.queue_bytes),
            records: Room::new("record", options.queue_bytes),
            tasks: Mutex::new(tasks),
        })
    }

    /// Writes the times of last accesses to their table now, so that other nodes see them at once: for tests, and before a stop.
    /// Without it they are written within a second. Whether they were written.
    pub async fn flush_accesses(&self) -> bool {
        let (reply, written) = oneshot::channel();
        let sent = self.with_queues(|queues| queues.flush.send(reply).is_ok()).unwrap_or(false);
        sent && written.await.unwrap_or(false)
    }

    /// Writes what is queued, and the times of last accesses, and ends the lanes; takes what was just erased out of its pages, if that
    /// goes within a few seconds. Later calls answer `Unavailable`.
    pub async fn close(&self) {
        self.changes.close();
        self.records.close();
        self.queues.lock().unwrap_or_else(PoisonError::into_inner).take();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // An error is a panic, which has been shown already.
            let _ = task.await;
        }
    }

    fn with_queues<T>(&self, use_them: impl FnOnce(&Queues) -> T) -> Option<T> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(use_them)
    }

    /// To the lane of an aggregate; the first one takes what belongs to none, and all records, which keep their order so.
    fn send(&self, of: Option<Uuid>, task: Task, weight: u32, place: Place) -> bool {
        let sent = self.with_queues(|queues| {
            let turn = queues.sent.fetch_add(1, Ordering::Relaxed);
            let job = Job { task, weight, turn, _place: Some(place) };
            let lane = of.map_or(0, |id| lane_of(id, queues.lanes.len()));
            queues.lanes.get(lane).is_some_and(|queue| queue.send(job).is_ok())
        });
        sent.unwrap_or(false)
    }
}

/// Identifiers end in random bits.
fn lane_of(id: Uuid, lanes: usize) -> usize {
    usize::from(id.as_bytes()[15]) % lanes.max(1)
}

#[async_trait]
impl Committer for PostgresWriter {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        let stopped = || CommitError::new(CommitErrorKind::Unavailable, STOPPED);
        let weight = weight::of_unit(&unit);
        let place = self.changes.take(weight).await.ok_or_else(stopped)?;
        let (reply, answer) = oneshot::channel();
        let aggregate = aggregate(&unit);
        let task = Task::Commit(Box::new(unit.into()), reply);
        if !self.send(aggregate, task, weight, place) {
            return Err(stopped());
        }
        answer.await.unwrap_or_else(|_| Err(CommitError::new(CommitErrorKind::OutcomeUnknown, LOST)))
    }
}

#[async_trait]
impl AccessLog for PostgresWriter {
    async fn record(&self, access: Access) -> Result<(), AccessError> {
        let stopped = || AccessError::new(AccessErrorKind::Unavailable, STOPPED);
        let weight = weight::of_access(&access);
        let place = self.changes.take(weight).await.ok_or_else(stopped)?;
        let (reply, answer) = oneshot::channel();
        let secret = access.secret.uuid();
        let task = Task::Access(Box::new(access.into()), reply);
        if !self.send(Some(secret), task, weight, place) {
            return Err(stopped());
        }
        answer.await.unwrap_or_else(|_| Err(AccessError::new(AccessErrorKind::OutcomeUnknown, LOST)))
    }
}

#[async_trait]
impl AuditLog for PostgresWriter {
    async fn enqueue(&self, record: AuditRecord) -> Result<(), CommitError> {
        let stopped = || CommitError::new(CommitErrorKind::Unavailable, STOPPED);
        let weight = weight::of_record(&record);
        let place = self.records.take(weight).await.ok_or_else(stopped)?;
        let task = Task::Record(Box::new(record.into()));
        if self.send(None, task, weight, place) { Ok(()) } else { Err(stopped()) }
    }
}

#[cfg(test)]
mod tests {
    use super::lane_of;
    use uuid::Uuid;

    #[test]
    fn every_lane_gets_its_share() {
        for lanes in 1..=4 {
            let mut shares = vec![0; lanes];
            (0..256).for_each(|id| shares[lane_of(Uuid::from_u128(id), lanes)] += 1);
            assert!(shares.iter().all(|share| *share >= 256 / lanes), "{shares:?}");
        }
        assert_eq!(lane_of(Uuid::from_u128(7), 0), 0);
    }
}
