//! The one writer: a thread that takes what is queued, commits it together, and answers all.

mod answers;
mod batch;
mod chain;
#[cfg(test)]
mod fixtures;
mod flush;
mod job;
mod retired;
mod revisions;
mod wal;

pub(super) use job::{Job, Task};
pub(super) use retired::Retired;

use crate::accesses::Accesses;
use crate::error::OpenError;
use crate::metrics::LaneMetrics;
use crate::options::OpenOptions;
use crate::sqlite::change::Effect;
use crate::sqlite::lease::LeaseClock;
use crate::sqlite::{connect, materials};
use answers::Answers;
use batch::{Batch, Committed, Failed};
use chain::Chain;
use flush::Flush;
use job::Fault;
use revisions::Revisions;
use rusqlite::Connection;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use strongroom_domain::port::{AuditSigner, IdGenerator};
use tokio::sync::oneshot;
use wal::Wal;

/// The most jobs of one commit.
const BATCH_JOBS: usize = 256;
/// The most bytes of one commit; one job may be larger.
const BATCH_BYTES: u32 = 4 << 20;
/// How soon an idle lane looks whether there is something to tidy.
const TIDY: Duration = Duration::from_millis(250);
/// How long it waits when there is nothing at all.
const LONG: Duration = Duration::from_secs(3600);

pub(super) struct Lane {
    connection: Connection,
    jobs: Receiver<Job>,
    chain: Chain,
    flush: Flush,
    wal: Wal,
    accesses: Arc<Accesses>,
    revisions: Revisions,
    retired: Retired,
    lease_clock: LeaseClock,
    /// Records that could not be written yet; nobody waits for them, but they are not lost.
    backlog: VecDeque<Job>,
    metrics: LaneMetrics,
    answers: Answers,
}

#[expect(clippy::disallowed_methods, reason = "times the lane's own housekeeping, and shows nowhere")]
fn now() -> Instant {
    Instant::now()
}

impl Lane {
    /// Opens the writing connection, reclaims room, and finds a place for another audit stream.
    pub(super) fn open(
        options: &OpenOptions,
        accesses: Arc<Accesses>,
        jobs: Receiver<Job>,
        signer: Arc<dyn AuditSigner>,
        ids: Arc<dyn IdGenerator>,
        lease_clock: LeaseClock,
    ) -> Result<Self, OpenError> {
        let mut connection = connect::writer(options)?;
        match materials::reclaim(&mut connection, materials::RECLAIM_BYTES) {
            Ok(false) => {}
            Ok(true) => tracing::info!("the room of erased values was reclaimed"),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the room of erased values was not reclaimed");
            }
        }
        let mut wal = Wal::new(connect::wal_path(&options.path), options.wal_bytes, now());
        wal.write_back(&connection, now());
        let chain = Chain::open(&connection, signer, ids)?;
        let flush = Flush::open(&connection, Arc::clone(&accesses), now())?;
        Ok(Self {
            connection,
            jobs,
            chain,
            flush,
            wal,
            accesses,
            revisions: Revisions::default(),
            retired: Retired::default(),
            lease_clock,
            backlog: VecDeque::new(),
            metrics: LaneMetrics::new(),
            answers: Answers::start(),
        })
    }

    /// Works until the queue is closed.
    pub(super) fn run(mut self) {
        Wal::watch(&self.connection);
        let closed = loop {
            match self.jobs.recv_timeout(self.patience()) {
                Ok(job) => {
                    if let Some(closed) = self.take_batch(Some(job)) {
                        break Some(closed);
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.tidy(),
                Err(RecvTimeoutError::Disconnected) => break None,
            }
            self.measure();
        };
        self.finish();
        if let Some(closed) = closed {
            let _ = closed.send(());
        }
    }

    /// Tells what waits inside the lane.
    fn measure(&mut self) {
        self.metrics.backlog.to(self.backlog.len() as u64);
        self.metrics.accesses.to(self.accesses.len() as u64);
        self.metrics.wal_bytes.to(self.wal.used());
    }

    fn patience(&self) -> Duration {
        if self.wal.holds_erased() {
            wal::RETRY
        } else if !self.backlog.is_empty() || self.flush.is_wanted() || !self.wal.is_empty() {
            TIDY
        } else {
            LONG
        }
    }

    /// Commits what is queued now; answers when it was asked to close.
    fn take_batch(&mut self, first: Option<Job>) -> Option<oneshot::Sender<()>> {
        let mut batch: Vec<Job> = Vec::new();
        let mut bytes = 0u32;
        let mut next = first;
        while let Some(record) = self.backlog.pop_front() {
            bytes = bytes.saturating_add(record.weight);
            batch.push(record);
            if batch.len() == BATCH_JOBS / 2 {
                break;
            }
        }
        let mut closing = None;
        while let Some(job) = next.take().or_else(|| self.jobs.try_recv().ok()) {
            if let Task::Close(closed) = job.task {
                closing = Some(closed);
                break;
            }
            if !self.backlog.is_empty() && matches!(job.task, Task::Record(_)) {
                // Behind those that were queued before it.
                self.backlog.push_back(job);
                continue;
            }
            bytes = bytes.saturating_add(job.weight);
            batch.push(job);
            if batch.len() >= BATCH_JOBS || bytes >= BATCH_BYTES {
                break;
            }
        }
        self.commit(batch);
        closing
    }

    /// Whether it was committed.
    fn commit(&mut self, mut jobs: Vec<Job>) -> bool {
        let (connection, now) = (&self.connection, now());
        let batch = Batch {
            connection,
            chain: &mut self.chain,
            flush: &mut self.flush,
            revisions: &mut self.revisions,
            retired: &mut self.retired,
            lease_clock: &self.lease_clock,
            now,
        };
        match batch.run(&mut jobs) {
            Ok(done) => {
                self.metrics.committed(jobs.len(), self::now().duration_since(now));
                self.committed(jobs, done, now);
                true
            }
            Err(failed) => {
                self.failed(jobs, failed, now);
                false
            }
        }
    }

    fn committed(&mut self, jobs: Vec<Job>, done: Committed, now: Instant) {
        let records = self.chain.committed();
        if done.flushed {
            self.flush.committed();
        }
        let mut erased = false;
        for effect in done.effects {
            match effect {
                Effect::Accessed { secret, version, at } => self.accesses.touch(secret, version, at),
                Effect::Gone(secret) => self.accesses.forget(secret),
                Effect::Erased => erased = true,
            }
        }
        // What was erased is overwritten in the file itself before anyone is told that it is gone; the rest needn't wait.
        if erased {
            self.wal.after_commit(&self.connection, true, now);
        }
        self.answers.give(jobs, done.verdicts, records);
        if !erased {
            self.wal.after_commit(&self.connection, false, now);
        }
    }

    fn failed(&mut self, jobs: Vec<Job>, failed: Failed, now: Instant) {
        tracing::error!(error = &failed.cause as &dyn std::error::Error, fault = ?failed.fault, "a commit failed");
        match failed.fault {
            Fault::Full => self.metrics.failed_full(),
            Fault::Unavailable => self.metrics.failed_unavailable(),
            Fault::Unknown => self.metrics.failed_unknown(),
        }
        self.flush.rolled_back(now);
        self.revisions.rolled_back();
        self.retired.rolled_back();
        if failed.fault == Fault::Unknown {
            // Only a crash could still bring it back, before the next commit, which takes its place in SQLite's log; so what is written again here is
            // there once.
            self.chain.abandon();
        } else {
            self.chain.rolled_back();
        }
        let cause = Arc::new(failed.cause);
        let records: Vec<Job> = jobs.into_iter().filter_map(|job| job.fail(failed.fault, &cause)).collect();
        for record in records.into_iter().rev() {
            self.backlog.push_front(record);
        }
        // What an earlier commit erased must not wait until the store has room again.
        self.wal.after_commit(&self.connection, false, now);
    }

    /// What is left to do when nobody asks for anything.
    fn tidy(&mut self) {
        let now = now();
        if !self.backlog.is_empty() || self.flush.is_due(now, self.chain.position()) {
            self.commit_backlog();
        } else if !self.wal.is_empty() {
            self.wal.write_back(&self.connection, now);
        }
    }

    fn commit_backlog(&mut self) -> bool {
        let records = self.backlog.drain(..self.backlog.len().min(BATCH_JOBS)).collect();
        self.commit(records)
    }

    /// Writes what is still pending, and empties the log.
    fn finish(&mut self) {
        loop {
            let queued: Vec<Job> = self.jobs.try_iter().take(BATCH_JOBS).collect();
            if queued.is_empty() {
                break;
            }
            self.commit(queued.into_iter().filter(|job| !matches!(job.task, Task::Close(_))).collect());
        }
        while !self.backlog.is_empty() || self.flush.is_wanted() {
            self.flush.hurry(self.chain.position());
            if !self.commit_backlog() {
                tracing::error!(records = self.backlog.len(), "the store stops before everything could be written");
                break;
            }
        }
        self.wal.write_back(&self.connection, now());
    }
}

#[cfg(test)]
mod tests {
    use super::fixtures::{Ids, Signer, record};
    use super::{Job, Lane, Task, now};
    use crate::accesses::Accesses;
    use crate::options::OpenOptions;
    use crate::sqlite::SqliteStore;
    use crate::sqlite::lease::LeaseClock;
    use rusqlite::Connection;
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::mpsc::{Sender, channel};
    use std::time::Duration;
    use strongroom_domain::port::{AuditReader, CommitErrorKind};
    use strongroom_domain::unit::Unit;
    use tokio::sync::oneshot;

    async fn lane(file: &Path) -> (SqliteStore, Lane, Sender<Job>) {
        let options = OpenOptions::new(file).create();
        let store = SqliteStore::open(options.clone()).await.expect("opens");
        let (lane, queue) = open_lane(&options);
        (store, lane, queue)
    }

    fn open_lane(options: &OpenOptions) -> (Lane, Sender<Job>) {
        let (queue, jobs) = channel();
        let accesses = Arc::new(Accesses::default());
        let (signer, ids) = (Arc::new(Signer), Arc::new(Ids::default()));
        let lane = Lane::open(options, accesses, jobs, signer, ids, LeaseClock::default());
        (lane.expect("opens"), queue)
    }

    fn limit(lane: &Lane, pages: u32) {
        lane.connection.execute_batch(&format!("PRAGMA max_page_count = {pages}")).expect("set");
    }

    /// Nobody waits for a queued record, so a full disk must not lose it.
    #[tokio::test]
    async fn queued_records_outlast_a_full_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, mut lane, queue) = lane(&folder.path().join("strongroom.db")).await;
        limit(&lane, 1);
        let mut answers = Vec::new();
        for event in 1..=600 {
            let task = if event % 100 == 0 {
                let (reply, answer) = oneshot::channel();
                answers.push(answer);
                Task::Commit(Unit { records: vec![record(event)], ..Unit::default() }.into(), reply)
            } else {
                Task::Record(Box::new(record(event).into()))
            };
            queue.send(Job { task, weight: 1, _room: None }).expect("queued");
        }
        for _ in 0..8 {
            lane.take_batch(None);
        }
        for answer in &mut answers {
            let error = answer.try_recv().expect("answered").expect_err("full");
            assert_eq!(error.kind(), &CommitErrorKind::Full);
        }
        assert_eq!(lane.backlog.len(), 594);
        assert_eq!(store.streams().await.expect("readable"), []);
        limit(&lane, 1_000_000);
        for _ in 0..3 {
            lane.tidy();
        }
        let streams = store.streams().await.expect("readable");
        let records = store.records(streams[0], 0, 1_000).await.expect("readable");
        let events: Vec<u128> = records.iter().map(|record| record.record.event.uuid().as_u128()).collect();
        assert_eq!(events, (1..=600).filter(|event| event % 100 != 0).collect::<Vec<_>>());
    }

    /// The commit that erased a value is done; only its log must still go. No commit that fails may keep it.
    #[tokio::test]
    async fn what_was_erased_leaves_the_log_of_a_full_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("strongroom.db");
        let (_store, mut lane, queue) = lane(&file).await;
        let send = |event| {
            let task = Task::Record(Box::new(record(event).into()));
            queue.send(Job { task, weight: 1, _room: None }).expect("queued");
        };
        send(0);
        lane.take_batch(None);
        for asked in [true, false] {
            let reader = Connection::open(&file).expect("opens");
            reader.execute_batch("BEGIN; SELECT count(*) FROM audit_records").expect("reads");
            lane.wal.after_commit(&lane.connection, true, now());
            assert!(lane.wal.holds_erased(), "a reader holds it up");
            limit(&lane, 1);
            (1..=600).for_each(send);
            lane.take_batch(None);
            assert!(!lane.backlog.is_empty(), "full");
            drop(reader);
            let deadline = now() + Duration::from_secs(20);
            while lane.wal.holds_erased() {
                assert!(now() < deadline, "it stays in the log, asked: {asked}");
                tokio::time::sleep(Duration::from_millis(10)).await;
                if asked {
                    lane.take_batch(None);
                } else {
                    lane.tidy();
                }
            }
            assert!(lane.wal.is_empty() && !lane.backlog.is_empty());
            limit(&lane, 1_000_000);
            while !lane.backlog.is_empty() {
                assert!(lane.commit_backlog(), "there is room again");
            }
        }
        // Who opens a log that it can't empty doesn't know what is in it.
        let reader = Connection::open(&file).expect("opens");
        reader.execute_batch("BEGIN; SELECT count(*) FROM audit_records").expect("reads");
        assert!(open_lane(&OpenOptions::new(&file)).0.wal.holds_erased());
        drop(reader);
        assert!(!open_lane(&OpenOptions::new(&file)).0.wal.holds_erased());
    }
}
