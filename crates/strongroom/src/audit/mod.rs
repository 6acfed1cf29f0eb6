//! The audit log: the records that use cases leave, and what is made of them.

pub(crate) mod checkpoint;
mod export;
mod export_all;
mod filter;
pub(crate) mod forward;
pub(crate) mod index;
mod join;
mod keys;
mod known_key;
mod names;
pub(crate) mod pages;
mod query;
mod retain;
pub(crate) mod retention_ledger;
mod rotate_key;
mod run;
mod search;
mod sink_turns;
mod soundness;
pub(crate) mod status;
pub(crate) mod verify;

pub use export::{AuditExport, ExportAudit, ExportedPage, ExportedRecord};
pub use export_all::{AuditPart, WholeAudit};
pub use filter::AuditFilter;
pub use forward::{AuditLag, ForwardError, Forwarded, PublishedCheckpoint};
pub use index::Indexed;
pub use known_key::{KnownAuditKey, known_audit_key};
pub use names::{AuditNames, WorkloadCredential};
pub use query::{AuditCursor, AuditCursorError, AuditPage, AuditQuery, MAX_AUDIT_COUNT, MAX_AUDIT_PAGE, ReadAudit};
pub use retain::{AlteredRecord, Retained};
pub use retention_ledger::ClockJump;
pub use rotate_key::{AuditKeyState, AuditKeyView};
pub use sink_turns::{MAX_FORWARDED_AT_ONCE, SinkTurns};
pub use status::{AuditStatus, MAX_CHECKPOINTS_AT_ONCE};
pub use verify::{
    MAX_VERIFIED_AT_ONCE, VerifyAudit, VerifyCursor, VerifyCursorError, VerifyLimit, VerifyPhase, VerifyStep,
};

use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::floods::Origin;
use crate::session::{Identified, Target};
use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;
use std::sync::Arc;
use strongroom_domain::audit::{Action, AuditRecord, Details, Outcome, Resource, ResourceKind};
use strongroom_domain::id::{EventId, KeyId, OrganisationId, RegionId, RuleId, SecretId};
use strongroom_domain::kms::KeyVersionNumber;
use strongroom_domain::path::SecretPath;
use strongroom_domain::time::Timestamp;
use strongroom_domain::version::VersionNumber;

/// Where a record's operation took place.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place {
    pub(crate) region: Option<RegionId>,
    pub(crate) project: Option<strongroom_domain::id::ProjectId>,
}

pub(crate) fn secret(path: &SecretPath, id: Option<SecretId>, version: Option<VersionNumber>) -> Resource {
    Resource {
        kind: ResourceKind::Secret,
        identity: path.as_str().to_owned(),
        id: id.map(SecretId::uuid),
        version: version.map(VersionNumber::get),
    }
}

pub(crate) fn key(id: KeyId, version: Option<KeyVersionNumber>) -> Resource {
    Resource {
        kind: ResourceKind::KmsKey,
        identity: id.to_string(),
        id: Some(id.uuid()),
        version: version.map(|version| u64::from(version.get())),
    }
}

/// A key that a caller named and that wasn't found, or not for them.
pub(crate) fn key_named(name: &str) -> Resource {
    Resource { kind: ResourceKind::KmsKey, identity: name.chars().take(64).collect(), id: None, version: None }
}

/// With what access it gave, took or altered, where it is about any.
pub(crate) fn with_access(record: AuditRecord, access: Option<String>) -> AuditRecord {
    if access.is_none() {
        return record;
    }
    AuditRecord { details: Some(Box::new(Details { access, ..Details::default() })), ..record }.tamed()
}

/// A collection or directory.
pub(crate) fn listing(kind: ResourceKind, identity: &str) -> Resource {
    Resource { kind, identity: identity.to_owned(), id: None, version: None }
}

/// What a call wanted, as far as the call itself tells.
pub(crate) fn target(target: Target<'_>) -> Resource {
    match target.resource {
        Some((ResourceKind::KmsKey, name)) => key_named(name),
        Some((kind, identity)) => listing(kind, identity),
        None => listing(ResourceKind::Organisation, ""),
    }
}

/// Makes the records of one call.
pub(crate) struct Recorder<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) call: &'a Identified,
    pub(crate) organisation: Option<OrganisationId>,
    pub(crate) place: Place,
}

impl Recorder<'_> {
    fn record(&self, at: Timestamp, action: Action, resource: Resource) -> AuditRecord {
        self.call.mark_record();
        let caller = &self.call.caller;
        AuditRecord {
            event: EventId::new(self.engine.ports.ids.next()),
            at,
            action,
            outcome: Outcome::Success,
            status: 200,
            organisation: self.organisation,
            region: self.place.region,
            project: self.place.project,
            principal: Some(caller.principal),
            credential: Some(caller.credential),
            resource: Some(resource),
            decided_by: None,
            request: Some(Arc::clone(&self.call.request)),
            details: None,
        }
    }

    /// It was done; `rule` allowed it.
    pub(crate) fn success(
        &self,
        at: Timestamp,
        action: Action,
        resource: Resource,
        rule: Option<RuleId>,
        status: u16,
    ) -> AuditRecord {
        let decided_by = rule.map(|rule| rule.to_string());
        AuditRecord { status, decided_by, ..self.record(at, action, resource) }.tamed()
    }

    /// It was refused, or failed.
    pub(crate) fn failure(&self, at: Timestamp, action: Action, resource: Resource, error: &Error) -> AuditRecord {
        AuditRecord {
            outcome: if error.is_denial() { Outcome::Denied } else { Outcome::Failure },
            status: error.code().status(),
            decided_by: Some(error.decider()),
            ..self.record(at, action, resource)
        }
        .tamed()
    }

    /// Queues a record of something that gave no value. It must not fail silently: when the log can't take it, the caller hears so; when
    /// it has no room for long, or the caller leaves meanwhile, that is counted.
    pub(crate) async fn log(&self, record: AuditRecord) -> Result<(), Error> {
        let mut waiting = Waiting { engine: self.engine, call: self.call, record: Some(record.clone()) };
        let queued = self.engine.log_within(LOG_PATIENCE, record).await?;
        waiting.record = None;
        queued
    }

    /// Sees to the record of a failure, and gives the error that the caller hears.
    ///
    /// A refusal is queued. A fault on our side is counted and recorded later: a store that is full or down gives one to every call,
    /// and the caller who waited for room in the log as well would never hear what went wrong.
    pub(crate) async fn log_failure(&self, record: AuditRecord, error: Error) -> Error {
        if is_ours(error.code().status()) {
            self.engine.count_fault(error.code().as_str(), record);
            return error;
        }
        match self.log(record).await {
            Ok(()) => error,
            Err(second) => second,
        }
    }
}

/// How long a record waits for room in the log's queue.
pub(crate) const LOG_PATIENCE: Duration = Duration::from_secs(10);

/// A record that waits for room. When it is dropped without having been taken, the call is counted as one that failed for that, unless
/// whoever drops it has given the call up and tells of it.
struct Waiting<'a> {
    engine: &'a Engine,
    call: &'a Identified,
    record: Option<AuditRecord>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(record) = self.record.take()
            && !self.call.is_given_up()
        {
            let code = Code::StoreUnavailable;
            let decided_by = Some(code.as_str().to_owned());
            let record = AuditRecord { outcome: Outcome::Failure, status: code.status(), decided_by, ..record };
            self.engine.count_fault(code.as_str(), record);
        }
    }
}

/// Whether a status tells of a fault on our side.
pub(crate) const fn is_ours(status: u16) -> bool {
    status >= 500
}

impl Engine {
    /// Queues a record, or gives up when there is no room for so long; then it was not taken. Without patience it is taken at once or
    /// not at all.
    pub(crate) async fn log_within(&self, patience: Duration, record: AuditRecord) -> Result<Result<(), Error>, Error> {
        let mut queued = self.ports.audit_log.enqueue(record);
        let mut waited = (!patience.is_zero()).then(|| self.ports.clock.sleep(patience));
        let queued = poll_fn(|cx| match (queued.as_mut().poll(cx), &mut waited) {
            (Poll::Ready(queued), _) => Poll::Ready(Some(queued)),
            (Poll::Pending, Some(waited)) => waited.as_mut().poll(cx).map(|()| None),
            (Poll::Pending, None) => Poll::Ready(None),
        });
        match queued.await {
            Some(queued) => Ok(queued.map_err(Error::from)),
            None => Err(Error::new(
                Code::StoreUnavailable,
                "The audit log has no room for the record of this call; nothing was done. Try again shortly.",
            )),
        }
    }

    /// Counts a fault on our side, to be recorded in the next round of [`housekeeping`](Self::housekeeping).
    pub(crate) fn count_fault(&self, code: &'static str, record: AuditRecord) {
        let origin = match record.principal {
            Some(principal) => Origin::Attempt(principal, record.action),
            None => Origin::Address(record.request.as_ref().and_then(|request| request.client)),
        };
        self.floods.count_only(origin, code, record);
    }
}
