//! Verifying the whole log, in steps that each end soon.
//!
//! First all checkpoints, then the records of each stream with their columns and index lines, then all that checkpoints tell of streams
//! once more, at last whether every line of the index is one that its record gives. What the checkpoints tell is kept in memory between steps;
//! where that is gone, or another node is asked, it is read again.

mod cursor;
mod ends;
mod index;
mod ledger;
mod streams;

pub use cursor::{VerifyCursor, VerifyCursorError, VerifyPhase};
pub(crate) use ledger::Ledgers;

use crate::engine::{AuditKeyPorts, Engine};
use crate::error::{Code, Error};
use crate::system::{Operation, OperatorSession};
use core::time::Duration;
use strongroom_domain::audit::{Action, Finding, Ledger, LogReader, Resource, ResourceKind, check_anchor};
use strongroom_domain::port::StoredCheckpoint;
use strongroom_domain::time::Timestamp;

/// The most records, checkpoints and lines of the index that one step looks at.
pub const MAX_VERIFIED_AT_ONCE: u32 = 20_000;
/// How many findings end a step.
const FINDINGS: usize = 100;
/// By how many microseconds index and checkpoints are behind at the most while they are made as they should be.
const USUAL_LAG: u64 = 60_000_000;
/// How many links and checkpoints are read at once.
const A_PAGE: u32 = 500;

/// How much one step may do.
#[derive(Clone, Copy, Debug)]
pub struct VerifyLimit {
    /// How many records, checkpoints and lines of the index: 1 to [`MAX_VERIFIED_AT_ONCE`].
    pub records: u32,
    /// After how long it begins nothing more: it ends a little later.
    pub time: Duration,
}

/// What a step of a verification found.
#[derive(Clone, Debug)]
pub struct VerifyStep {
    /// What it was at.
    pub phase: VerifyPhase,
    /// How many of what the phase goes through are checked.
    pub checked: u64,
    /// How many there are, as far as that is known.
    pub total: u64,
    /// How many records were checked by all steps so far.
    pub records: u64,
    /// The number of the last checkpoint that was checked; 0 before the first.
    pub checkpoints: u64,
    /// What it found.
    pub findings: Vec<Finding>,
    /// Whether index lines that belong to no record could not be looked for, since the records have other findings.
    pub index_uncounted: bool,
    /// Of the last step: since when records are not in the index, where that is for long. What is behind is not found by searches.
    pub unindexed_since: Option<Timestamp>,
    /// Of the last step: since when no checkpoint tells of records, where that is for long. That such records were cut off would not be found.
    pub unchecked_since: Option<Timestamp>,
    /// Where to go on; `None` when this was all.
    pub next: Option<VerifyCursor>,
}

/// An operator who may verify the log.
pub struct VerifyAudit<'a> {
    operation: Operation<'a>,
}

impl Engine {
    /// Verifies the audit log.
    #[must_use]
    pub const fn verify_audit<'a>(&'a self, session: &'a OperatorSession) -> VerifyAudit<'a> {
        VerifyAudit { operation: Operation { engine: self, session, action: Action::SystemAuditVerify } }
    }
}

impl VerifyAudit<'_> {
    /// One step. The first, without a cursor, leaves a record, and looks for the anchor: a checkpoint that was kept elsewhere, which the log
    /// must have.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] for another limit, [`Code::UnsupportedOperation`] where there are no keys of the log, and those of the store;
    /// the same step may be tried again.
    pub async fn run(
        self,
        cursor: Option<VerifyCursor>,
        anchor: Option<StoredCheckpoint>,
        limit: VerifyLimit,
    ) -> Result<VerifyStep, Error> {
        let is_first = cursor.is_none();
        let step = step(self.operation.engine, cursor, anchor, limit).await;
        if is_first {
            return self.operation.told(None, resource(), step).await;
        }
        self.operation.failed(None, resource(), step).await
    }
}

pub(super) const fn resource() -> Resource {
    Resource { kind: ResourceKind::AuditLog, identity: String::new(), id: None, version: None }
}

async fn step(
    engine: &Engine,
    cursor: Option<VerifyCursor>,
    anchor: Option<StoredCheckpoint>,
    limit: VerifyLimit,
) -> Result<VerifyStep, Error> {
    if !(1..=MAX_VERIFIED_AT_ONCE).contains(&limit.records) {
        return Err(Error::new(Code::InvalidRequest, format!("`limit`: 1 to {MAX_VERIFIED_AT_ONCE}.")));
    }
    let ports = engine.audit_keys()?;
    let begun = engine.ports.clock.now();
    let mut findings = Vec::new();
    if let Some(anchor) = anchor.filter(|_| cursor.is_none()) {
        let found = engine.ports.audit.checkpoints(anchor.number.saturating_sub(1), 1).await?.into_iter().next();
        findings.extend(check_anchor(&anchor, found.filter(|found| found.number == anchor.number).as_ref()));
    }
    let is_first = cursor.is_none();
    let cursor = cursor.unwrap_or_else(|| VerifyCursor::begin(engine.ports.ids.next()));
    let ledger = engine.ledgers.take(cursor.run, engine.ports.clock.now())?;
    let left = limit.records;
    let time = u64::try_from(limit.time.as_micros()).unwrap_or(u64::MAX);
    let mut work = Work { engine, ports, ledger, cursor, findings, left, begun, time, index_unchecked: false };
    let next = match work.go_on().await {
        Ok(next) => next,
        Err(error) => {
            if is_first {
                // Nobody learned of it, so nobody goes on with it.
                engine.ledgers.put_back(work.cursor.run, None, engine.ports.clock.now());
            }
            return Err(error);
        }
    };
    let Work { ledger, cursor, findings, index_unchecked, .. } = work;
    let (phase, checked, total) = (cursor.phase, cursor.checked, cursor.total.max(cursor.checked));
    engine.ledgers.put_back(cursor.run, next.then_some(ledger), engine.ports.clock.now());
    let (records, checkpoints) = (cursor.records, cursor.reported);
    let [unindexed_since, unchecked_since] = match next {
        true => [None; 2],
        false => [behind_since(engine, &LogReader::Index).await?, behind_since(engine, &LogReader::Checkpoints).await?],
    };
    Ok(VerifyStep {
        phase,
        checked,
        total,
        records,
        checkpoints,
        findings,
        index_uncounted: index_unchecked,
        unindexed_since,
        unchecked_since,
        next: next.then_some(cursor),
    })
}

/// The time of the oldest record that a reader has not had, where it is further behind than it is usually.
async fn behind_since(engine: &Engine, reader: &LogReader) -> Result<Option<Timestamp>, Error> {
    let oldest = engine.audit_lag(reader).await?.oldest;
    Ok(oldest.filter(|oldest| engine.ports.clock.now().micros_since(*oldest) > USUAL_LAG))
}

/// One step.
struct Work<'a> {
    engine: &'a Engine,
    ports: &'a AuditKeyPorts,
    ledger: Ledger,
    cursor: VerifyCursor,
    findings: Vec<Finding>,
    left: u32,
    begun: Timestamp,
    /// In microseconds.
    time: u64,
    index_unchecked: bool,
}

impl Work<'_> {
    /// Whether the step is to end.
    fn is_over(&self) -> bool {
        self.left == 0
            || self.findings.len() >= FINDINGS
            || self.engine.ports.clock.now().micros_since(self.begun) >= self.time
    }

    /// Notes that so many were checked.
    fn count(&mut self, count: u64) {
        self.cursor.checked += count;
        self.left = self.left.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// Notes something that is wrong with records: then lines of the index are wrong too, and nothing new.
    fn found(&mut self, finding: Finding) {
        self.cursor.lines = None;
        self.findings.push(finding);
    }

    fn enter(&mut self, phase: VerifyPhase, total: u64) {
        self.cursor.phase = phase;
        self.cursor.checked = 0;
        self.cursor.total = total;
    }

    /// Whether there is more to do.
    async fn go_on(&mut self) -> Result<bool, Error> {
        // Known as far as it was; first of all it is brought to where the log is.
        if !self.extend_ledger().await? {
            return Ok(true);
        }
        if self.cursor.phase == VerifyPhase::Checkpoints {
            self.check_keys().await?;
            self.enter(VerifyPhase::Streams, self.ledger.records());
        }
        if self.cursor.phase == VerifyPhase::Streams {
            if !self.streams().await? {
                return Ok(true);
            }
            self.enter(VerifyPhase::Ends, self.ledger.number());
        }
        if self.cursor.phase == VerifyPhase::Ends {
            if !self.ends().await? {
                return Ok(true);
            }
            // About: there are others by now.
            self.enter(VerifyPhase::Index, self.cursor.lines.unwrap_or(0));
        }
        Ok(!self.index().await?)
    }
}
