//! What is queued for a lane.

use super::fault::{Cause, Failed};
use super::record::Record;
use crate::encoded::EncodedUnit;
use crate::metrics::Place;
use strongroom_domain::id::SecretId;
use strongroom_domain::port::{Access, AccessError, AccessErrorKind, CommitError, CommitErrorKind};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{AggregateId, Change, Expect, Revision, Unit};
use strongroom_domain::version::VersionNumber;
use tokio::sync::oneshot;
use uuid::Uuid;

/// A job, and the room that it takes in the queue until it is answered.
pub(in crate::postgres) struct Job {
    pub(in crate::postgres) task: Task,
    pub(in crate::postgres) weight: u32,
    /// What was queued later has a higher one.
    pub(in crate::postgres) turn: u64,
    /// Given back when the job is dropped; `None` for what needs no room.
    pub(in crate::postgres) _place: Option<Place>,
}

pub(in crate::postgres) enum Task {
    Commit(Box<Write>, oneshot::Sender<Result<(), CommitError>>),
    Access(Box<Reveal>, oneshot::Sender<Result<(), AccessError>>),
    Record(Box<Record>),
}

/// A unit whose records stand beside it.
pub(in crate::postgres) struct Write {
    pub(super) unit: EncodedUnit,
    pub(super) records: Vec<Record>,
}

impl From<Unit> for Write {
    fn from(Unit { expect, changes, records }: Unit) -> Self {
        let unit = EncodedUnit { expect, changes, records: Vec::new() };
        Self { unit, records: records.into_iter().map(Record::from).collect() }
    }
}

/// An access with encoded records.
pub(in crate::postgres) struct Reveal {
    pub(super) secret: SecretId,
    pub(super) version: VersionNumber,
    pub(super) seen: Revision,
    pub(super) at: Timestamp,
    pub(super) records: [Record; 2],
}

impl From<Access> for Reveal {
    fn from(Access { secret, version, seen, at, records }: Access) -> Self {
        Self { secret, version, seen, at, records: records.map(Record::from) }
    }
}

/// How a job fared in a batch that was committed.
#[derive(Debug)]
pub(super) enum Verdict {
    Done,
    Conflict(Expect),
    Stale,
    /// The unit doesn't fit the schema: a mistake of the caller.
    Refused(Cause),
}

impl Job {
    /// What it adds to the audit log when it is done.
    pub(super) fn records(&self) -> &[Record] {
        match &self.task {
            Task::Commit(write, _) => &write.records,
            Task::Access(reveal, _) => &reveal.records,
            Task::Record(record) => std::slice::from_ref(record),
        }
    }

    /// The unit, where there is more to it than records.
    pub(super) fn unit(&self) -> Option<&EncodedUnit> {
        match &self.task {
            Task::Commit(write, _) if !(write.unit.expect.is_empty() && write.unit.changes.is_empty()) => {
                Some(&write.unit)
            }
            _ => None,
        }
    }

    /// Whether it is a record for which nobody waits.
    pub(super) const fn is_record(&self) -> bool {
        matches!(self.task, Task::Record(_))
    }

    /// The aggregates that its unit changes or expects to be unchanged.
    pub(super) fn aggregates(&self) -> impl Iterator<Item = Uuid> {
        let unit = self.unit();
        let expected = unit.into_iter().flat_map(|unit| &unit.expect).filter_map(|expect| match expect {
            Expect::Revision(id, _) => Some(uuid(*id)),
            _ => None,
        });
        expected.chain(unit.into_iter().flat_map(|unit| &unit.changes).filter_map(changed))
    }

    pub(super) fn access(&self) -> Option<&Reveal> {
        match &self.task {
            Task::Access(reveal, _) => Some(reveal),
            _ => None,
        }
    }

    /// Tells the caller, if there still is one.
    pub(super) fn answer(self, verdict: Verdict) {
        match self.task {
            Task::Commit(_, reply) => {
                let answer = match verdict {
                    Verdict::Done => Ok(()),
                    Verdict::Conflict(expect) => {
                        Err(CommitError::new(CommitErrorKind::Conflict(expect), "an expectation of the change fails"))
                    }
                    Verdict::Stale => {
                        Err(CommitError::new(CommitErrorKind::Unavailable, "the change was taken for an access"))
                    }
                    Verdict::Refused(cause) => {
                        let context = "the change does not fit what is stored";
                        Err(CommitError::new(CommitErrorKind::Unavailable, context).because(cause))
                    }
                };
                let _ = reply.send(answer);
            }
            Task::Access(_, reply) => {
                let answer = match verdict {
                    Verdict::Done => Ok(()),
                    _ => Err(AccessError::new(AccessErrorKind::Stale, "the secret was changed since it was read")),
                };
                let _ = reply.send(answer);
            }
            Task::Record(_) => {}
        }
    }

    /// Tells the caller that the whole batch failed. A record, for which nobody waits, is given back to be tried again.
    pub(super) fn fail(self, failed: &Failed) -> Option<Self> {
        let (fault, what) = (failed.fault, failed.what);
        match self.task {
            Task::Commit(_, reply) => {
                let _ = reply.send(Err(CommitError::new(fault.commit_kind(), what).because(failed.cause.clone())));
                None
            }
            Task::Access(_, reply) => {
                let _ = reply.send(Err(AccessError::new(fault.access_kind(), what).because(failed.cause.clone())));
                None
            }
            Task::Record(_) => Some(self),
        }
    }
}

/// The aggregate that decides which lane a unit goes to: all changes of one take the same lane.
pub(in crate::postgres) fn aggregate(unit: &Unit) -> Option<Uuid> {
    unit.changes.iter().find_map(changed).or_else(|| {
        unit.expect.iter().find_map(|expect| match expect {
            Expect::Revision(id, _) => Some(uuid(*id)),
            _ => None,
        })
    })
}

const fn uuid(id: AggregateId) -> Uuid {
    match id {
        AggregateId::Secret(id) => id.uuid(),
        AggregateId::Key(id) => id.uuid(),
        AggregateId::Organisation(id) => id.uuid(),
    }
}

/// The aggregate that a change makes or changes.
fn changed(change: &Change) -> Option<Uuid> {
    match change {
        Change::InsertOrganisation(organisation) | Change::ReplaceOrganisation(organisation) => {
            Some(organisation.id.uuid())
        }
        Change::ReviseOrganisation { organisation, .. } => Some(organisation.uuid()),
        Change::InsertKey(key) => Some(key.spec.id.uuid()),
        Change::AppendKeyVersion { key, .. }
        | Change::ReplaceKeyState { key, .. }
        | Change::ReplaceKeyHandle { key, .. }
        | Change::DeleteKey { key } => Some(key.uuid()),
        change => change.secret().map(SecretId::uuid),
    }
}
