//! One transaction: as many jobs as were queued, each whole or not at all.

use super::chain::Chain;
use super::flush::Flush;
use super::job::{Fault, Job, Task, Verdict};
use super::retired::Retired;
use super::revisions::Revisions;
use crate::encoded::{EncodedAccess, EncodedUnit};
use crate::sqlite::change::{self, Effect, Refusal};
use crate::sqlite::expect;
use crate::sqlite::lease::{self, LeaseClock};
use rusqlite::{Connection, ErrorCode, ffi};
use std::time::Instant;
use strongroom_domain::audit::EncodedRecord;

/// A batch that was committed.
pub(super) struct Committed {
    /// One for each job, in order.
    pub(super) verdicts: Vec<Verdict>,
    pub(super) effects: Vec<Effect>,
    pub(super) flushed: bool,
}

/// A batch that was not committed.
pub(super) struct Failed {
    pub(super) fault: Fault,
    pub(super) cause: rusqlite::Error,
}

pub(super) struct Batch<'a> {
    pub(super) connection: &'a Connection,
    pub(super) chain: &'a mut Chain,
    pub(super) flush: &'a mut Flush,
    pub(super) revisions: &'a mut Revisions,
    pub(super) retired: &'a mut Retired,
    pub(super) lease_clock: &'a LeaseClock,
    pub(super) now: Instant,
}

impl Batch<'_> {
    pub(super) fn run(mut self, jobs: &mut [Job]) -> Result<Committed, Failed> {
        let outcome = self.transact(jobs).map_err(|cause| Failed { fault: fault(&cause), cause });
        let outcome = outcome.and_then(|done| match self.execute("COMMIT") {
            Ok(()) => Ok(done),
            Err(cause) => Err(Failed { fault: commit_fault(&cause), cause }),
        });
        if outcome.is_err() && !self.connection.is_autocommit() {
            // When this fails too, the next batch tries it again before it begins.
            let _ = self.execute("ROLLBACK");
        }
        outcome
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    fn transact(&mut self, jobs: &mut [Job]) -> rusqlite::Result<Committed> {
        if !self.connection.is_autocommit() {
            self.execute("ROLLBACK")?;
        }
        self.execute("BEGIN IMMEDIATE")?;
        let end = self.chain.position();
        let mut done = Committed { verdicts: Vec::with_capacity(jobs.len()), effects: Vec::new(), flushed: false };
        if self.flush.is_due(self.now, end) {
            done.flushed = self.write_accesses(end)?;
        }
        for job in jobs {
            let verdict = match &mut job.task {
                Task::Commit(unit, _) => self.apply(unit, &mut done.effects)?,
                Task::Access(access, _) => match access.take() {
                    Some(access) => self.access(*access, &mut done.effects)?,
                    None => Verdict::Stale,
                },
                Task::Record(record) => {
                    self.chain.append(EncodedRecord::clone(record));
                    Verdict::Done
                }
                Task::Lease(call, _) => Verdict::Leased(lease::call(self.connection, call, self.lease_clock)?),
                Task::Close(_) => Verdict::Done,
            };
            done.verdicts.push(verdict);
        }
        self.chain.write(self.connection)?;
        Ok(done)
    }

    /// Derived data: when it doesn't fit, the jobs still may.
    fn write_accesses(&mut self, end: (i64, u64)) -> rusqlite::Result<bool> {
        self.execute("SAVEPOINT accesses")?;
        let written = self.flush.write(self.connection, self.now, end);
        if let Err(error) = &written {
            tracing::warn!(error = error as &dyn std::error::Error, "the times of last accesses could not be written");
            self.execute("ROLLBACK TO accesses")?;
        }
        self.execute("RELEASE accesses")?;
        Ok(written.is_ok())
    }

    fn apply(&mut self, unit: &mut EncodedUnit, effects: &mut Vec<Effect>) -> rusqlite::Result<Verdict> {
        for wanted in &unit.expect {
            if !expect::holds(self.connection, wanted, self.lease_clock, self.retired)? {
                return Ok(Verdict::Conflict(wanted.clone()));
            }
        }
        if !unit.changes.is_empty() {
            for change in &unit.changes {
                self.revisions.forget(change);
                self.retired.forget(change);
            }
            let before = effects.len();
            self.execute("SAVEPOINT unit")?;
            let made = unit.changes.iter().try_for_each(|change| change::apply(self.connection, change, effects));
            if let Err(refusal) = made {
                effects.truncate(before);
                let verdict = match refusal {
                    Refusal::Conflict(expect) => Verdict::Conflict(expect),
                    Refusal::Database(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                        Verdict::Refused(error)
                    }
                    Refusal::Database(error) => return Err(error),
                };
                self.execute("ROLLBACK TO unit")?;
                self.execute("RELEASE unit")?;
                return Ok(verdict);
            }
            self.execute("RELEASE unit")?;
        }
        for record in std::mem::take(&mut unit.records) {
            self.chain.append(record);
        }
        Ok(Verdict::Done)
    }

    fn access(&mut self, access: EncodedAccess, effects: &mut Vec<Effect>) -> rusqlite::Result<Verdict> {
        if self.revisions.of(self.connection, access.secret)? != Some(access.seen) {
            return Ok(Verdict::Stale);
        }
        for record in access.records {
            self.chain.append(record);
        }
        effects.push(Effect::Accessed {
            secret: access.secret.uuid(),
            version: access.version.get(),
            at: access.at.as_micros(),
        });
        Ok(Verdict::Done)
    }
}

fn extended_code(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|failure| failure.extended_code)
}

fn fault(error: &rusqlite::Error) -> Fault {
    // The log's index couldn't grow: it lies on the same disk.
    let no_index = extended_code(error) == Some(ffi::SQLITE_IOERR_SHMSIZE);
    if error.sqlite_error_code() == Some(ErrorCode::DiskFull) || no_index { Fault::Full } else { Fault::Unavailable }
}

/// A commit is written last, then synced. When writing fails, it isn't there; when syncing fails, it may be.
fn commit_fault(error: &rusqlite::Error) -> Fault {
    match extended_code(error) {
        Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC) => Fault::Unknown,
        _ => fault(error),
    }
}

#[cfg(test)]
mod tests {
    use super::{commit_fault, fault};
    use crate::sqlite::lane::job::Fault;
    use rusqlite::ffi;

    #[test]
    fn faults_by_code() {
        let error = |code| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        assert_eq!(fault(&error(ffi::SQLITE_FULL)), Fault::Full);
        assert_eq!(fault(&error(ffi::SQLITE_IOERR_SHMSIZE)), Fault::Full);
        assert_eq!(fault(&error(ffi::SQLITE_IOERR_WRITE)), Fault::Unavailable);
        assert_eq!(commit_fault(&error(ffi::SQLITE_FULL)), Fault::Full);
        assert_eq!(commit_fault(&error(ffi::SQLITE_IOERR_WRITE)), Fault::Unavailable);
        assert_eq!(commit_fault(&error(ffi::SQLITE_IOERR_FSYNC)), Fault::Unknown);
    }
}
