//! The log's index, made after the records: whoever appends records must not wait for it.

use crate::engine::Engine;
use crate::error::Error;
use async_lock::Mutex;
use core::time::Duration;
use strongroom_domain::audit::{Behind, IndexEntry, LogReader};
use strongroom_domain::lease::{Epoch, LeaseName, LeaseTtl};
use strongroom_domain::port::CommitErrorKind;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Change, Expect, Unit};
use uuid::Uuid;

/// How long the lease stands: so long no index is made after the node that made it died.
const TTL: Duration = Duration::from_secs(20);
/// How many microseconds old a lease is when it is renewed.
const RENEWED_AFTER: u64 = 5_000_000;
/// From how many streams one round takes records at the most.
const STREAMS: u32 = 16;

/// What a round of the index did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Indexed {
    /// How many records can be found by now that could not be before.
    pub records: u32,
    /// In how many streams there are records which no writer put there, of those that were looked at. They are not found by searches;
    /// verification names them.
    pub foreign: u32,
    /// Whether others still can't.
    pub more: bool,
}

/// The lease to make the index, kept from round to round so that not every round writes one.
#[derive(Debug, Default)]
pub(crate) struct IndexLease(Mutex<Tenancy>);

#[derive(Debug, Default)]
struct Tenancy {
    /// Names this engine to the store from its first round on.
    holder: Option<Uuid>,
    held: Option<Held>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    epoch: Epoch,
    /// By this node's clock. Only tells when to renew; whether the lease stands, the store says.
    since: Timestamp,
}

impl Engine {
    /// Makes the next `limit` records (from 1; 200 is right) of the audit log known to its index, so that they are found: one unit.
    /// Does nothing while another node is at it.
    ///
    /// To be called again and again. After a round with `more` rest ten times as long as it took, between 5 and 100 milliseconds, so that
    /// the index takes little of a writer that is busy; after one without, some tenths of a second, which is how late records are found.
    ///
    /// # Errors
    /// Those of the store; nothing is lost by them, and the next round begins where this one did.
    pub async fn index_audit(&self, limit: u32) -> Result<Indexed, Error> {
        let mut tenancy = self.index_lease.0.lock().await;
        let mut behind = self.ports.audit.behind(&LogReader::Index, None, STREAMS).await?;
        // Mostly there is nothing to do, and then no lease is written.
        if behind.is_empty() {
            return Ok(Indexed::default());
        }
        let Some(epoch) = self.hold_index(&mut tenancy).await? else { return Ok(Indexed::default()) };
        let mut foreign = 0;
        let (unit, indexed) = loop {
            let (unit, indexed) = self.next_lines(&behind, limit, epoch).await?;
            let last = behind.last().filter(|_| behind.len() >= STREAMS as usize).map(|last| last.stream);
            match last {
                // None of these streams has a record of its own, so others have their turn.
                Some(_) if unit.changes.is_empty() => {
                    foreign += indexed.foreign;
                    behind = self.ports.audit.behind(&LogReader::Index, last, STREAMS).await?;
                    if behind.is_empty() {
                        return Ok(Indexed { foreign, ..Indexed::default() });
                    }
                }
                _ if unit.changes.is_empty() => {
                    return Ok(Indexed { foreign: foreign + indexed.foreign, ..Indexed::default() });
                }
                _ => break (unit, Indexed { foreign: foreign + indexed.foreign, ..indexed }),
            }
        };
        match self.ports.committer.commit(unit).await {
            Ok(()) => Ok(indexed),
            Err(error) if matches!(error.kind(), CommitErrorKind::Conflict(Expect::Lease(..))) => {
                tenancy.held = None;
                Ok(Indexed::default())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The tenure of this engine, prolonged when it is about to end; `None` while another has it.
    async fn hold_index(&self, tenancy: &mut Tenancy) -> Result<Option<Epoch>, Error> {
        let now = self.ports.clock.now();
        if let Some(held) = tenancy.held.filter(|held| now.micros_since(held.since) < RENEWED_AFTER) {
            return Ok(Some(held.epoch));
        }
        let ttl = LeaseTtl::new(TTL).unwrap_or(LeaseTtl::MIN);
        let holder = *tenancy.holder.get_or_insert_with(|| self.ports.ids.next());
        let lease = self.ports.leases.acquire(LeaseName::AuditIndex, holder, ttl).await?;
        tenancy.held = lease.map(|lease| Held { epoch: lease.epoch, since: now });
        Ok(tenancy.held.map(|held| held.epoch))
    }

    /// The lines of the next records of these streams, of each the same share.
    async fn next_lines(&self, behind: &[Behind], limit: u32, epoch: Epoch) -> Result<(Unit, Indexed), Error> {
        let share = (limit / u32::try_from(behind.len()).unwrap_or(STREAMS)).max(1);
        let mut unit = Unit { expect: vec![Expect::Lease(LeaseName::AuditIndex, epoch)], ..Unit::default() };
        let mut indexed = Indexed { records: 0, foreign: 0, more: behind.len() as u64 >= u64::from(STREAMS) };
        for &Behind { stream, through, end } in behind {
            let run = self.next_run(stream, through, share).await?;
            if run.is_foreign {
                indexed.foreign += 1;
                continue;
            }
            let entries = run.records.iter().flat_map(|it| IndexEntry::of(&it.record, it.sequence)).collect();
            // What retention removed before it was indexed needs no lines.
            let through = run.last.unwrap_or(end);
            indexed.records += u32::try_from(run.records.len() as u64 + run.unreadable).unwrap_or(share);
            indexed.more |= through < end;
            unit.changes.push(Change::IndexRecords { stream, through, entries });
        }
        Ok((unit, indexed))
    }
}
