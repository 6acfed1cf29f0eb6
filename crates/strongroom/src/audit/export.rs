//! The log of an organisation, taken out page by page.

use super::filter::{AuditFilter, Wanted};
use super::names::AuditNames;
use super::query::AuditCursor;
use super::search::{End, Search};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::permit::Permit;
use crate::session::OrganisationSession;
use core::time::Duration;
use std::collections::HashMap;
use strongroom_domain::audit::{Action, AuditKey, Behind, ChainHash, ChainState, ChainedRecord, LogReader};
use strongroom_domain::id::{OrganisationId, StreamId};
use strongroom_domain::root_key::InstanceKeyPurpose;
use strongroom_domain::time::Timestamp;

/// How many records are read at once.
const AT_ONCE: usize = 500;
/// How often it is looked whether what an export waits for at its begin is there, and how long it rests between: five seconds in all.
pub(super) const LOOKS: u32 = 50;
pub(super) const REST: Duration = Duration::from_millis(100);

/// A record of an export.
#[derive(Clone, Debug)]
pub struct ExportedRecord {
    /// The record, as it lies in the log.
    pub chained: ChainedRecord,
    /// The hash before it in its stream, of which its own is made; `None` where the record before was removed.
    pub previous: Option<ChainHash>,
}

/// The next part of an export.
#[derive(Clone, Debug)]
pub struct ExportedPage {
    /// The records, newest first: at most 500.
    pub items: Vec<ExportedRecord>,
    /// Those whom they name.
    pub names: AuditNames,
    /// Where to go on; `None` when this is all.
    pub next: Option<AuditCursor>,
}

/// A caller who may take the log out.
pub struct ExportAudit<'a>(Permit<'a>);

/// An export on its way.
#[derive(Clone, Debug)]
pub struct AuditExport {
    organisation: OrganisationId,
    begun_at: Timestamp,
    wanted: Wanted,
    keys: Vec<AuditKey>,
    may_lack_newest: bool,
}

impl Engine {
    /// Checks that the caller may take the organisation's log out. A refusal is recorded.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), and those of the store.
    pub async fn export_audit<'a>(&'a self, session: &'a OrganisationSession) -> Result<ExportAudit<'a>, Error> {
        self.may_read_audit(session, Action::AuditExport).await.map(ExportAudit)
    }

    /// The public parts of the keys that sign the log, as the store has them, by version.
    pub(super) async fn audit_public_keys(&self) -> Result<Vec<AuditKey>, Error> {
        let keys = self.ports.setup.instance_keys().await?.into_iter();
        let signing = keys.filter(|key| key.purpose == InstanceKeyPurpose::AuditSigning);
        Ok(signing.filter_map(|key| Some(AuditKey { version: key.version, public: key.public? })).collect())
    }

    /// Waits until everything can be found that is in the log now; `false` when that takes too long.
    async fn wait_for_index(&self) -> Result<bool, Error> {
        let behind = self.streams_behind(&LogReader::Index).await?;
        let ends: HashMap<StreamId, u64> = behind.iter().map(|behind| (behind.stream, behind.end)).collect();
        let mut is_missing = self.is_missing(&ends, behind).await?;
        for _ in 0..LOOKS {
            if !is_missing {
                break;
            }
            self.ports.clock.sleep(REST).await;
            is_missing = self.is_missing(&ends, self.streams_behind(&LogReader::Index).await?).await?;
        }
        Ok(!is_missing)
    }

    /// Whether the index has yet to take records up to these ends. It never takes those that no writer put there.
    async fn is_missing(&self, ends: &HashMap<StreamId, u64>, behind: Vec<Behind>) -> Result<bool, Error> {
        for Behind { stream, through, .. } in behind {
            if ends.get(&stream).is_some_and(|end| through < *end)
                && self.next_run(stream, through, 1).await?.last.is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl ExportAudit<'_> {
    /// Begins to take out the records that the filter wants, once everything can be found that is in the log now; for that it waits up to five
    /// seconds. That it was begun is recorded.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn run(&self, filter: &AuditFilter) -> Result<AuditExport, Error> {
        let Permit { engine, session, .. } = self.0;
        let begun = async {
            let wanted = engine.wanted(session, filter).await?;
            let begun_at = engine.ports.clock.now();
            let may_lack_newest = !engine.wait_for_index().await?;
            // Not before: one that was made while this waited may have signed.
            let keys = engine.audit_public_keys().await?;
            Ok(AuditExport { organisation: session.organisation.id, begun_at, wanted, keys, may_lack_newest })
        };
        self.0.told(begun.await).await
    }
}

impl AuditExport {
    /// Whose log it is.
    #[must_use]
    pub const fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    /// When it was begun.
    #[must_use]
    pub const fn begun_at(&self) -> Timestamp {
        self.begun_at
    }

    /// Whether the index was so far behind that records which were in the log when the export began may be missing.
    #[must_use]
    pub const fn may_lack_newest(&self) -> bool {
        self.may_lack_newest
    }

    /// The keys that sign the log.
    #[must_use]
    pub fn keys(&self) -> &[AuditKey] {
        &self.keys
    }

    /// The next records: those before the cursor, or the newest. There may be none in a page, and more in the next.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn page(&self, engine: &Engine, after: Option<AuditCursor>) -> Result<ExportedPage, Error> {
        let organisation = self.organisation;
        let before = after.map(|cursor| cursor.0);
        let mut search = Search::begin(engine, organisation, &self.wanted, before, AT_ONCE);
        let (records, end) = search.take(AT_ONCE).await?;
        let next = match end {
            End::Exhausted => None,
            End::Enough => records.last().map(|last| AuditCursor((last.record.at, last.record.event))),
            End::Stopped(before) => Some(AuditCursor(before)),
        };
        let names = engine.names_in(organisation, records.iter().map(|chained| &chained.record)).await?;
        let before: Vec<(StreamId, u64)> =
            records.iter().map(|chained| (chained.stream, chained.sequence.saturating_sub(1))).collect();
        let before = engine.ports.audit.at(&before).await?;
        let items = records.into_iter().zip(before).map(|(chained, before)| {
            let first = (chained.sequence == 1).then(|| ChainState::begin(chained.stream).hash);
            ExportedRecord { previous: first.or(before.map(|before| before.hash)), chained }
        });
        Ok(ExportedPage { items: items.collect(), names, next })
    }
}
