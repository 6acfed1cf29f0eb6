//! What is queued for the lane.

use crate::encoded::{EncodedAccess, EncodedUnit};
use crate::error::Shared;
use crate::metrics::Place;
use crate::sqlite::lease::LeaseCall;
use std::sync::Arc;
use strongroom_domain::audit::EncodedRecord;
use strongroom_domain::lease::Lease;
use strongroom_domain::port::{AccessError, AccessErrorKind, CommitError, CommitErrorKind, LeaseError, LeaseErrorKind};
use strongroom_domain::unit::Expect;
use tokio::sync::oneshot;

/// A job, and the room that it takes in the queue until it is answered.
pub(in crate::sqlite) struct Job {
    pub(in crate::sqlite) task: Task,
    pub(in crate::sqlite) weight: u32,
    /// Given back when the job is dropped; `None` for what needs no room.
    pub(in crate::sqlite) _room: Option<Place>,
}

pub(in crate::sqlite) enum Task {
    Commit(EncodedUnit, oneshot::Sender<Result<(), CommitError>>),
    /// `None` once it was taken for writing.
    Access(Option<Box<EncodedAccess>>, oneshot::Sender<Result<(), AccessError>>),
    Record(Box<EncodedRecord>),
    Lease(LeaseCall, oneshot::Sender<Result<Option<Lease>, LeaseError>>),
    /// Writes what is queued, ends the lane, and tells.
    Close(oneshot::Sender<()>),
}

/// How a job fared in a batch that was committed.
pub(in crate::sqlite) enum Verdict {
    Done,
    Conflict(Expect),
    Stale,
    /// The lease, where it was acquired or renewed.
    Leased(Option<Lease>),
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

    const fn lease_kind(self) -> LeaseErrorKind {
        match self {
            Self::Full => LeaseErrorKind::Full,
            Self::Unavailable => LeaseErrorKind::Unavailable,
            Self::Unknown => LeaseErrorKind::OutcomeUnknown,
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
                    Verdict::Stale | Verdict::Leased(_) => {
                        Err(CommitError::new(CommitErrorKind::Unavailable, "the change was taken for something else"))
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
            Task::Lease(_, reply) => {
                let _ = reply.send(match verdict {
                    Verdict::Leased(lease) => Ok(lease),
                    _ => Err(LeaseError::new(LeaseErrorKind::Unavailable, "the lease was taken for something else")),
                });
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
            Task::Lease(_, reply) => {
                let _ = reply.send(Err(LeaseError::new(fault.lease_kind(), fault.as_str()).because(cause)));
                None
            }
            Task::Record(_) => Some(self),
            Task::Close(_) => None,
        }
    }
}
