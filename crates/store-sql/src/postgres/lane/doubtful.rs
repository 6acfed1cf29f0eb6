//! Queued records of a commit of which nobody knows whether it was made. They are put where that commit would have put them: the database
//! takes one of the two, so none is there twice, and none is lost. The lane goes on in another stream meanwhile.

use super::Lane;
use super::batch::Batch;
use super::chain::Chain;
use super::fault::{Failed, Remedy, bounded};
use super::job::Job;
use super::record::Record;
use super::statement::Patience;
use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long after a try that led to nothing the next one comes: the database may still be at that commit.
const PERIOD: Duration = Duration::from_secs(1);

/// The events that stand where a commit would have put its records.
const STORED: &str = "SELECT event FROM audit_records WHERE position > $1 AND position <= $2";

struct Doubt {
    /// As it was before that commit.
    chain: Chain,
    /// How many records that commit had, with those for which somebody waited.
    tried: usize,
    records: Vec<Job>,
}

#[derive(Default)]
pub(super) struct Doubtful {
    doubts: VecDeque<Doubt>,
    tried: Option<Instant>,
}

impl Doubtful {
    pub(super) fn is_empty(&self) -> bool {
        self.doubts.is_empty()
    }

    /// How many records.
    pub(super) fn len(&self) -> usize {
        self.doubts.iter().map(|doubt| doubt.records.len()).sum()
    }

    /// `tried`: how many records the commit had in all.
    pub(super) fn add(&mut self, chain: Chain, tried: usize, records: Vec<Job>) {
        self.doubts.push_back(Doubt { chain, tried, records });
    }
}

impl Lane {
    /// Settles what it can, if it is time to; `None`: whatever the time.
    pub(super) async fn try_doubtful(&mut self, now: Option<Instant>) {
        let is_early = |now: Instant, tried: Instant| now.duration_since(tried) < PERIOD;
        if now.zip(self.doubtful.tried).is_some_and(|(now, tried)| is_early(now, tried)) {
            return;
        }
        // Whoever waits for a connection needn't wait for it twice.
        if now.is_some() && !self.session.is_open() && !self.jobs.is_empty() {
            return;
        }
        self.doubtful.tried = None;
        for _ in 0..self.doubtful.doubts.len() {
            let Some(mut doubt) = self.doubtful.doubts.pop_front() else { break };
            match self.settled(&doubt).await {
                Ok(None) => {}
                Ok(Some(stored)) => {
                    doubt.records.retain(|job| !job.records().iter().map(Record::event).all(|it| stored.contains(&it)));
                    doubt.records.into_iter().for_each(|record| self.backlog.add(record));
                }
                Err(failed) => {
                    tracing::debug!(
                        error = &failed.cause as &dyn std::error::Error,
                        "a commit still is of unknown outcome"
                    );
                    self.doubtful.doubts.push_back(doubt);
                    self.doubtful.tried = Some(super::now());
                    if !self.session.is_open() {
                        if failed.remedy == Remedy::Wait && !self.jobs.is_empty() {
                            // They waited for the connection too.
                            self.give_up(Vec::new(), &failed);
                        }
                        break;
                    }
                }
            }
        }
        self.tell_backlog();
    }

    /// `None` when the records are written now; else the events of those that stand where these belong, and nothing else can come there any more.
    async fn settled(&mut self, doubt: &Doubt) -> Result<Option<HashSet<Uuid>>, Failed> {
        let begun = super::now();
        let Doubt { chain, tried, records } = doubt;
        // Hardly waits for a lock, as others have the lane between two tries.
        let (limit, patience) = (self.session.limit(), Patience::Again);
        let batch = Batch { chain, jobs: records, limit, patience, contended: true };
        match batch.run(&mut self.session).await {
            Ok(done) => {
                self.metrics.committed(records.len(), super::now().duration_since(begun));
                if let Some((ordinal, after)) = done.stream {
                    self.common.positions.note(ordinal, after.sequence);
                }
                Ok(None)
            }
            // Where one doesn't fit, the database says so before it looks whether others are there.
            Err(failed) if matches!(failed.remedy, Remedy::NewStream | Remedy::Alone) => {
                let Some((first, last)) = chain.places(*tried) else { return Ok(Some(HashSet::new())) };
                let mut connection = self.session.take().await.map_err(|error| Failed::down(&error))?;
                let stored = sqlx::query_scalar(STORED).bind(first).bind(last).fetch_all(&mut connection);
                let stored: Vec<Uuid> = bounded(limit, stored).await.map_err(|error| Failed::surely(&error))?;
                self.session.keep(connection);
                Ok(Some(stored.into_iter().collect()))
            }
            Err(failed) => Err(failed),
        }
    }
}
