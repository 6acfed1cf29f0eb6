//! A writer: a task with one connection that takes what is queued, commits it together, and answers all.

mod backlog;
mod batch;
mod chain;
mod doubtful;
mod fault;
mod flush;
mod held;
mod job;
mod misfits;
mod record;
mod session;
mod statement;

pub(super) use fault::bounded;
pub(super) use flush::{Flush, FlushCall, Positions};
pub(super) use job::{Job, Task, aggregate};
pub(super) use session::{GRACE, Session, limit};

use crate::accesses::Accesses;
use crate::metrics::LaneMetrics;
use crate::postgres::change::{self, Effect};
use crate::postgres::options::PostgresOptions;
use crate::postgres::units;
use crate::postgres::vacuum::Vacuum;
use backlog::Backlog;
use batch::{Batch, Committed};
use chain::Chain;
use doubtful::Doubtful;
use fault::{Failed, Fault, Remedy};
use held::Held;
use job::Verdict;
use misfits::Misfits;
use statement::Patience;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use strongroom_domain::port::{AuditSigner, IdGenerator};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// The most jobs of one commit.
const BATCH_JOBS: usize = 256;
/// The most bytes of one commit; one job may be larger.
const BATCH_BYTES: u32 = 4 << 20;
/// How often a batch is tried when others are in its way.
const TRIES: u32 = 3;
/// How soon an idle lane tries records again that could not be written.
const TIDY: Duration = Duration::from_millis(250);
/// How long a lane that stops waits for locks: whoever stops a server waits for it, and kills what takes long, which would leave the
/// callers without any answer.
const LAST: Duration = Duration::from_secs(5);
/// How long a lane that stops waits between two looks at what is still in doubt.
const PAUSE: Duration = Duration::from_millis(50);
/// How long it waits when there is nothing at all.
const LONG: Duration = Duration::from_secs(3600);

#[expect(clippy::disallowed_methods, reason = "times the lanes' own housekeeping, and shows nowhere")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// What the lanes of a writer have in common.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) accesses: Arc<Accesses>,
    pub(super) positions: Arc<Positions>,
    pub(super) vacuum: Vacuum,
    /// Keeps the task alive that writes accesses, until the last lane has ended.
    pub(super) _flush: mpsc::UnboundedSender<FlushCall>,
}

pub(super) struct Lane {
    session: Session,
    jobs: mpsc::UnboundedReceiver<Job>,
    chain: Chain,
    common: Common,
    metrics: LaneMetrics,
    /// Units that touch what a unit of the last batch touched.
    waiting: VecDeque<Job>,
    /// Units that wait for locks.
    held: Held,
    backlog: Backlog,
    /// Records that the database refused each for itself, while it took others.
    misfits: Misfits,
    /// Records that may be written already.
    doubtful: Doubtful,
}

impl Lane {
    pub(super) fn new(
        options: PostgresOptions,
        jobs: mpsc::UnboundedReceiver<Job>,
        common: Common,
        signer: Arc<dyn AuditSigner>,
        ids: Arc<dyn IdGenerator>,
    ) -> Self {
        let session = Session::new(options);
        Self {
            held: Held::new(session.patience()),
            session,
            jobs,
            chain: Chain::new(signer, ids),
            common,
            metrics: LaneMetrics::new(),
            waiting: VecDeque::new(),
            backlog: Backlog::default(),
            misfits: Misfits::default(),
            doubtful: Doubtful::default(),
        }
    }

    /// Works until the queue is closed, and what was queued is written.
    pub(super) async fn run(mut self) {
        loop {
            let mut first = None;
            if self.waiting.is_empty() {
                let tidy = if self.left() == 0 { LONG } else { TIDY };
                match timeout(self.held.pause().unwrap_or(tidy).min(tidy), self.jobs.recv()).await {
                    Ok(Some(job)) => first = Some(job),
                    Ok(None) => break,
                    Err(_) => {}
                }
            }
            let batch = self.gather(first);
            self.commit(batch).await;
            self.try_held().await;
            self.try_misfits(Some(now())).await;
            self.try_doubtful(Some(now())).await;
        }
        self.finish().await;
    }

    /// What is to be committed next.
    fn gather(&mut self, mut first: Option<Job>) -> Vec<Job> {
        let mut batch = Vec::new();
        let mut bytes = 0u32;
        let mut add = |job: Job, batch: &mut Vec<Job>| {
            bytes = bytes.saturating_add(job.weight);
            batch.push(job);
            batch.len() < BATCH_JOBS && bytes < BATCH_BYTES
        };
        let mut room = true;
        for job in self.backlog.take(BATCH_JOBS / 2).chain(self.waiting.drain(..)) {
            room = add(job, &mut batch);
        }
        while room || first.is_some() {
            let Some(job) = first.take().or_else(|| self.jobs.try_recv().ok()) else { break };
            if self.backlog.precedes(&job) {
                self.backlog.add(job);
            } else {
                room = add(job, &mut batch);
            }
        }
        let batch = self.set_aside(batch);
        self.held.keep_back(batch)
    }

    /// Lets units wait that are not independent of those before them.
    fn set_aside(&mut self, batch: Vec<Job>) -> Vec<Job> {
        if batch.iter().filter_map(Job::unit).nth(1).is_none() {
            return batch;
        }
        let mut fit = units::plan(batch.iter().filter_map(Job::unit)).into_iter();
        let mut kept = Vec::with_capacity(batch.len());
        for job in batch {
            if job.unit().is_some() && fit.next() == Some(false) {
                self.waiting.push_back(job);
            } else {
                kept.push(job);
            }
        }
        kept
    }

    /// Answers all; whether the database took them.
    async fn commit(&mut self, jobs: Vec<Job>) -> bool {
        if jobs.is_empty() {
            return true;
        }
        let taken = match self.try_commit(jobs, Patience::First).await {
            Ok(()) => true,
            // One of them spoils it for the others.
            Err((jobs, failed)) if failed.remedy == Remedy::Alone && jobs.len() > 1 => self.commit_alone(jobs).await,
            Err((jobs, failed)) => self.settle(jobs, &failed).await,
        };
        self.tell_backlog();
        taken
    }

    /// How many records were not written yet, or nobody knows whether they were.
    fn left(&self) -> usize {
        self.backlog.len() + self.misfits.len() + self.doubtful.len()
    }

    fn tell_backlog(&mut self) {
        self.metrics.backlog.to(self.left() as u64);
    }

    /// Each by itself, until there is no connection: none of the others would find one, and each would wait for it.
    async fn commit_alone(&mut self, jobs: Vec<Job>) -> bool {
        let mut taken = true;
        let mut jobs = VecDeque::from(jobs);
        while let Some(job) = jobs.pop_front() {
            if self.backlog.precedes(&job) {
                self.backlog.add(job);
                continue;
            }
            let Err((mut failing, failed)) = self.try_commit(vec![job], Patience::First).await else { continue };
            if failed.is_outage() {
                failing.extend(jobs);
                self.give_up(failing, &failed);
                return false;
            }
            taken &= self.settle(failing, &failed).await;
        }
        taken
    }

    /// What becomes of jobs that were not committed; whether the database took what it could.
    async fn settle(&mut self, jobs: Vec<Job>, failed: &Failed) -> bool {
        if failed.remedy == Remedy::Apart && jobs.iter().any(|job| job.unit().is_some()) {
            let (units, others) = jobs.into_iter().partition(|job| job.unit().is_some());
            self.held.hold(units, failed);
            return Box::pin(self.commit(others)).await;
        }
        self.give_up(jobs, failed);
        failed.remedy == Remedy::Alone
    }

    async fn try_commit(&mut self, jobs: Vec<Job>, patience: Patience) -> Result<(), (Vec<Job>, Failed)> {
        let begun = now();
        let mut tries = 1;
        loop {
            let contended = !self.held.is_empty();
            let batch = Batch { chain: &self.chain, jobs: &jobs, limit: self.session.limit(), patience, contended };
            let failed = match batch.run(&mut self.session).await {
                Ok(done) => {
                    self.metrics.committed(jobs.len(), now().duration_since(begun));
                    self.committed(jobs, done);
                    return Ok(());
                }
                Err(failed) => failed,
            };
            let again = match failed.remedy {
                Remedy::Again => tries < TRIES,
                Remedy::Reconnect => tries == 1,
                Remedy::NewStream => {
                    let said = &failed.cause as &dyn std::error::Error;
                    tracing::error!(
                        stream = ?self.chain.position(),
                        error = said,
                        "somebody else wrote where the next records of the audit log belong; they go into another stream; verify the log"
                    );
                    self.chain.abandon();
                    tries < TRIES
                }
                _ => false,
            };
            if !again {
                return Err((jobs, failed));
            }
            tracing::debug!(error = &failed.cause as &dyn std::error::Error, "a commit is tried again");
            tries += 1;
        }
    }

    fn committed(&mut self, jobs: Vec<Job>, done: Committed) {
        if let Some((ordinal, after)) = done.stream {
            self.chain.committed(ordinal, after);
        }
        for (job, verdict) in jobs.iter().zip(&done.verdicts) {
            if let (Some(access), Verdict::Done) = (job.access(), verdict) {
                self.common.accesses.touch(access.secret.uuid(), access.version.get(), access.at.as_micros());
            }
        }
        for effect in done.effects {
            match effect {
                Effect::Gone(secret) => self.common.accesses.forget(secret),
                Effect::Erased => self.common.vacuum.want(),
            }
        }
        // After the accesses, so that no position is written before what it stands for.
        if let Some((ordinal, sequence)) = self.chain.position() {
            self.common.positions.note(ordinal, sequence);
        }
        if self.chain.is_full() {
            self.chain.abandon();
        }
        for (job, verdict) in jobs.into_iter().zip(done.verdicts) {
            job.answer(verdict);
        }
    }

    fn give_up(&mut self, mut jobs: Vec<Job>, failed: &Failed) {
        if failed.remedy == Remedy::Wait {
            // Whatever is queued waited for the connection as long as these.
            jobs.extend(self.drain());
        }
        self.fail(jobs, failed);
    }

    fn fail(&mut self, jobs: Vec<Job>, failed: &Failed) {
        let alone = failed.remedy == Remedy::Alone && jobs.len() == 1;
        // Of those that are refused each for itself the first speaks for all.
        if !(alone && jobs.iter().all(Job::is_record) && !self.misfits.is_empty()) {
            tracing::error!(error = &failed.cause as &dyn std::error::Error, fault = ?failed.fault, "{}", failed.what);
        }
        match failed.fault {
            Fault::Full => self.metrics.failed_full(),
            Fault::Unavailable => self.metrics.failed_unavailable(),
            Fault::Unknown => {
                self.metrics.failed_unknown();
                // If it was committed after all, there is something to take out.
                let changes = jobs.iter().filter_map(Job::unit).map(|unit| change::effects(&unit.changes));
                if changes.flatten().any(|effect| effect == Effect::Erased) {
                    self.common.vacuum.want();
                }
            }
        }
        let tried = jobs.iter().map(|job| job.records().len()).sum();
        let records: Vec<Job> = jobs.into_iter().filter_map(|job| job.fail(failed)).collect();
        if failed.fault == Fault::Unknown {
            let ended = self.chain.abandon();
            if !records.is_empty() {
                self.doubtful.add(ended, tried, records);
            }
            return;
        }
        for record in records {
            if alone { self.misfits.add(record) } else { self.backlog.add(record) }
        }
    }

    /// What is queued.
    fn drain(&mut self) -> Vec<Job> {
        let mut drained: Vec<Job> = self.held.drain().chain(self.waiting.drain(..)).collect();
        // What comes meanwhile is for the next try.
        for _ in 0..self.jobs.len() {
            drained.extend(self.jobs.try_recv().ok());
        }
        drained
    }

    /// Writes what is still pending; gives up what waits for locks, or is in doubt, after a while.
    async fn finish(&mut self) {
        let end = now() + LAST;
        let mut tries = 1;
        loop {
            if now() >= end && !self.held.is_empty() {
                let late = self.drain();
                self.fail(late, &Failed::stopping());
            }
            let batch = self.gather(None);
            if batch.is_empty() && self.held.is_empty() {
                if self.doubtful.is_empty() || now() >= end {
                    break;
                }
                self.try_doubtful(None).await;
                if !self.doubtful.is_empty() {
                    sleep(PAUSE).await;
                }
                continue;
            }
            // What is set aside may be free.
            let idle = batch.is_empty() && self.waiting.is_empty();
            let taken = self.commit(batch).await;
            if idle && let Some(pause) = self.held.pause() {
                sleep(pause).await;
            }
            self.try_held().await;
            if taken {
                continue;
            }
            if tries == TRIES {
                break;
            }
            tries += 1;
        }
        self.try_misfits(None).await;
        let rest = self.drain();
        if !rest.is_empty() {
            self.fail(rest, &Failed::stopping());
        }
        let records = self.left();
        if records > 0 {
            tracing::error!(records, "the store stops before everything could be written");
        }
    }
}
