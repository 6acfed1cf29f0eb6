//! Records that the database refused each for itself. They are kept, and tried from time to time, without others waiting for them:
//! these, and those [in doubt](super::doubtful), may come out of order.

use super::Lane;
use super::job::Job;
use super::record::Record;
use super::statement::Patience;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long a round may take, since others wait for the lane.
const ROUND: Duration = Duration::from_millis(100);
/// How often it is seen whether the database takes one now.
const PERIOD: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Misfits {
    records: VecDeque<Job>,
    tried: Option<Instant>,
}

impl Misfits {
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn add(&mut self, record: Job) {
        self.records.push_back(record);
    }
}

impl Lane {
    /// Tries them until one is refused again, if it is time to; `None`: whatever the time.
    pub(super) async fn try_misfits(&mut self, now: Option<Instant>) {
        let is_early = |now: Instant, tried: Instant| now.duration_since(tried) < PERIOD;
        if now.zip(self.misfits.tried).is_some_and(|(now, tried)| is_early(now, tried)) {
            return;
        }
        let begun = super::now();
        while let Some(record) = self.misfits.records.pop_front() {
            if now.is_some() && super::now().duration_since(begun) > ROUND {
                // The database takes them; the rest goes on after the others.
                self.misfits.records.push_front(record);
                self.misfits.tried = None;
                break;
            }
            self.misfits.tried = now;
            let event = record.records().first().map(Record::event);
            if let Err((refused, failed)) = self.try_commit(vec![record], Patience::First).await {
                self.fail(refused, &failed);
                let (records, error) = (self.misfits.len(), &failed.cause as &dyn std::error::Error);
                tracing::error!(
                    records,
                    event = ?event,
                    error,
                    "the database refuses audit records; they are kept in memory, and lost if the server stops before it takes them"
                );
                break;
            }
        }
        self.tell_backlog();
    }
}
