//! What is queued for the lane.

use crate::encoded::{EncodedAccess, EncodedUnit};
use crate::error::Shared;
use std::sync::Arc;
use strongroom_domain::audit::EncodedRecord;
use strongroom_domain::port::{AccessError, AccessErrorKind, CommitError, CommitErrorKind};
use strongroom_domain::unit::{Change, Expect, Unit};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// A job, and the room that it takes in the queue until it is answered.
pub(in crate::sqlite) struct Job {
    pub(in crate::sqlite) task: Task,
    pub(in crate::sqlite) weight: u32,
    /// Given back when the job is dropped; `None` for what needs no room.
    pub(in crate::sqlite) _room: Option<OwnedSemaphorePermit>,
}

pub(in crate::sqlite) enum Task {
    Commit(EncodedUnit, oneshot::Sender<Result<(), CommitError>>),
    /// `None` once it was taken for writing.
    Access(Option<Box<EncodedAccess>>, oneshot::Sender<Result<(), AccessError>>),
    Record(Box<EncodedRecord>),
    /// Writes what is queued, ends the lane, and tells.
    Close(oneshot::Sender<()>),
}

/// How a job fared in a batch that was committed.
pub(in crate::sqlite) enum Verdict {
    Done,
    Conflict(Expect),
    Stale,
    /// The unit doesn't fit the schema: a mistake of the caller.
    Refused(rusqlite::Error),
}

/// Why a whole batch was not committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sqlite) enum Fault {
    Full,
    Unavailable,
    /// It may come back after a crash.
    Unknown,
}

impl Fault {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "there is no room left for the database",
            Self::Unavailable => "the database could not be written",
            Self::Unknown => "the database could not tell whether the change was stored",
        }
    }

    const fn commit_kind(self) -> CommitErrorKind {
        match self {
            Self::Full => CommitErrorKind::Full,
            Self::Unavailable => CommitErrorKind::Unavailable,
            Self::Unknown => CommitErrorKind::OutcomeUnknown,
        }
    }

    const fn access_kind(self) -> AccessErrorKind {
        match self {
            Self::Full => AccessErrorKind::Full,
            Self::Unavailable => AccessErrorKind::Unavailable,
            Self::Unknown => AccessErrorKind::OutcomeUnknown,
        }
    }
}

impl Job {
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
                    Verdict::Refused(error) => {
                        let context = "the change does not fit what is stored";
                        Err(CommitError::new(CommitErrorKind::Unavailable, context).because(error))
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
            Task::Record(_) | Task::Close(_) => {}
        }
    }

    /// Tells the caller that the whole batch failed. A record, for which nobody waits, is given back to be tried again.
    pub(super) fn fail(self, fault: Fault, cause: &Arc<rusqlite::Error>) -> Option<Self> {
        let cause = Shared(Arc::clone(cause));
        match self.task {
            Task::Commit(_, reply) => {
                let _ = reply.send(Err(CommitError::new(fault.commit_kind(), fault.as_str()).because(cause)));
                None
            }
            Task::Access(_, reply) => {
                let _ = reply.send(Err(AccessError::new(fault.access_kind(), fault.as_str()).because(cause)));
                None
            }
            Task::Record(_) => Some(self),
            Task::Close(_) => None,
        }
    }
}

/// About what a record takes, in bytes.
pub(in crate::sqlite) const RECORD_WEIGHT: u32 = 1024;

/// About what a unit takes in the queue and in the log, in bytes.
pub(in crate::sqlite) fn weight(unit: &Unit) -> u32 {
    let change = |change: &Change| match change {
        Change::InsertSecret { version, .. } | Change::AppendVersion { version, .. } => {
            version.payload.len() + version.wrapped.bytes.len() + 1024
        }
        Change::RememberAnswer(answer) => answer.answer.len() + 256,
        _ => 1024,
    };
    let bytes = unit.changes.iter().map(change).sum::<usize>() + unit.records.len() * RECORD_WEIGHT as usize;
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
