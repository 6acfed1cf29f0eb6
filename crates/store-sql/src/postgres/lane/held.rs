//! Units that ran into a lock: tried again by and by, each alone, while the lane goes on with others.

use super::Lane;
use super::fault::{Failed, Remedy};
use super::job::Job;
use super::now;
use super::statement::Patience;
use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a round of tries may take, when others wait for the lane.
const ROUND: Duration = Duration::from_millis(100);
/// The shortest pause between two rounds.
const PAUSE: Duration = Duration::from_millis(50);
/// How much longer than a round, at the least, others have the lane to themselves afterwards.
const SHARE: u32 = 3;
/// The longest pause, however long a round took: the lock may be gone, and callers wait for their answer.
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// The units of a lane that wait for locks, in the order in which they came.
pub(super) struct Held {
    units: VecDeque<Waiting>,
    /// How long each may wait.
    patience: Duration,
    /// When the next round begins.
    next: Option<Instant>,
}

struct Waiting {
    job: Job,
    until: Instant,
    /// Why it waits; `None` while it is behind another of its secret or key.
    failed: Option<Failed>,
    /// Whether it was tried alone: only then it is known that it is this unit that needs the lock.
    tried: bool,
}

impl Held {
    pub(super) const fn new(patience: Duration) -> Self {
        Self { units: VecDeque::new(), patience, next: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// How long until there is something to try; `None` when nothing waits.
    pub(super) fn pause(&self) -> Option<Duration> {
        (!self.is_empty()).then(|| self.next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now())))
    }

    /// Units that could not have their locks in time.
    pub(super) fn hold(&mut self, jobs: Vec<Job>, failed: &Failed) {
        let until = now() + self.patience;
        self.units.extend(jobs.into_iter().map(|job| Waiting {
            job,
            until,
            failed: Some(failed.clone()),
            tried: false,
        }));
    }

    /// Keeps those units back that come after one that waits for the same secret or key, and gives the others back.
    pub(super) fn keep_back(&mut self, batch: Vec<Job>) -> Vec<Job> {
        if self.is_empty() {
            return batch;
        }
        let mut claimed: HashSet<Uuid> = self.units.iter().flat_map(|waiting| waiting.job.aggregates()).collect();
        let until = now() + self.patience;
        let (back, free): (Vec<Job>, Vec<Job>) = batch.into_iter().partition(|job| {
            let is_behind = job.aggregates().any(|aggregate| claimed.contains(&aggregate));
            if is_behind {
                claimed.extend(job.aggregates());
            }
            is_behind
        });
        self.units.extend(back.into_iter().map(|job| Waiting { job, until, failed: None, tried: false }));
        free
    }

    /// All of them, for whom there is no hope.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Job> {
        self.units.drain(..).map(|waiting| waiting.job)
    }
}

impl Lane {
    /// Tries the units again that wait for locks, when it is time to, and gives up those that waited long enough.
    pub(super) async fn try_held(&mut self) {
        if self.held.pause() != Some(Duration::ZERO) {
            return;
        }
        let begun = now();
        let mut blocked: HashSet<Uuid> = HashSet::new();
        let mut reason = None;
        // What there was no time for comes first in the next round.
        let (mut untried, mut tried) = (VecDeque::new(), VecDeque::new());
        for _ in 0..self.held.units.len() {
            let Some(waiting) = self.held.units.pop_front() else { break };
            let behind = waiting.job.aggregates().any(|aggregate| blocked.contains(&aggregate));
            let in_time = now().duration_since(begun) < ROUND;
            // One that was never tried has as long again, and no longer.
            let overdue = now() >= waiting.until + self.held.patience;
            if now() >= waiting.until
                && (waiting.tried || behind || overdue)
                && let Some(failed) = waiting.failed.as_ref().or(reason.as_ref())
            {
                let failed = failed.clone();
                self.fail(vec![waiting.job], &failed);
                continue;
            }
            if behind {
                blocked.extend(waiting.job.aggregates());
                tried.push_back(waiting);
                continue;
            }
            if !in_time {
                untried.push_back(waiting);
                continue;
            }
            let until = waiting.until;
            match self.try_commit(vec![waiting.job], Patience::Again).await {
                Ok(()) => {}
                Err((jobs, failed)) if failed.remedy == Remedy::Apart => {
                    reason = Some(failed.clone());
                    for job in jobs {
                        blocked.extend(job.aggregates());
                        tried.push_back(Waiting { job, until, failed: Some(failed.clone()), tried: true });
                    }
                }
                Err((jobs, failed)) => self.give_up(jobs, &failed),
            }
        }
        // Those that nobody knows to need a lock go on as soon as others had a turn.
        let ended = now();
        let pause = if untried.iter().any(|waiting| !waiting.tried) {
            Duration::ZERO
        } else {
            (ended.duration_since(begun) * SHARE).clamp(PAUSE, LONGEST_PAUSE)
        };
        untried.append(&mut tried);
        untried.append(&mut self.held.units);
        self.held.units = untried;
        self.held.next = Some(ended + pause);
    }
}
