//! Records that could not be written yet; nobody waits for them, but they are not lost.

use super::job::Job;
use std::collections::BTreeMap;

/// By their turns: whenever a record comes back, it is written before those that were queued after it.
#[derive(Default)]
pub(super) struct Backlog(BTreeMap<u64, Job>);

impl Backlog {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn add(&mut self, record: Job) {
        self.0.insert(record.turn, record);
    }

    /// At most so many, the oldest first.
    pub(super) fn take(&mut self, most: usize) -> impl Iterator<Item = Job> {
        std::iter::from_fn(|| self.0.pop_first()).map(|(_, record)| record).take(most)
    }

    /// Whether this is a record, and one that was queued before it waits here.
    pub(super) fn precedes(&self, job: &Job) -> bool {
        job.is_record() && self.0.first_key_value().is_some_and(|(turn, _)| *turn < job.turn)
    }
}
