//! The records of calls that fail outside an operation: before it is known who calls, because they come too often, or in an adapter.

use crate::audit::{self, LOG_PATIENCE, Place, Recorder};
use crate::engine::Engine;
use crate::error::Error;
use crate::floods::{Origin, Unrecorded};
use crate::session::{Identified, Reached, Target};
use core::time::Duration;
use std::sync::Arc;
use strongroom_domain::audit::{Action, AuditRecord, Outcome, RequestInfo};
use strongroom_domain::id::{EventId, OrganisationId};

impl Engine {
    /// Counts a refused credential, and records it when its source and cause had no record for a second and the log has room at once;
    /// else later.
    pub(crate) async fn record_refused_credential(&self, cause: &'static str, request: &Arc<RequestInfo>) {
        self.record_refused(cause, 401, request).await;
    }

    /// As [`record_refused_credential`](Self::record_refused_credential), with the status that the caller hears.
    pub(crate) async fn record_refused(&self, cause: &'static str, status: u16, request: &Arc<RequestInfo>) {
        let record = self.unidentified(cause, status, Outcome::Denied, request);
        self.log_at_once(self.floods.count(Origin::Address(request.client), cause, record)).await;
    }

    /// As [`record_refused`](Self::record_refused), in the log of the organisation that it concerns. A fault on our side is recorded
    /// later.
    pub(crate) async fn record_refused_in(
        &self,
        organisation: OrganisationId,
        cause: &'static str,
        record: AuditRecord,
    ) {
        let client = record.request.as_ref().and_then(|request| request.client);
        let origin = Origin::Organisation(organisation, client);
        if audit::is_ours(record.status) {
            self.floods.count_only(origin, cause, record);
        } else {
            self.log_at_once(self.floods.count(origin, cause, record)).await;
        }
    }

    /// Counts a call that failed before it was known who calls: `code` and `status` are what the caller hears. Such failures are
    /// recorded in the next round of [`housekeeping`](Self::housekeeping), at most once per source and code; a refused credential is
    /// counted by [`authenticate`](Self::authenticate) already.
    pub fn count_unidentified(&self, code: &'static str, status: u16, request: &Arc<RequestInfo>) {
        let record = self.unidentified(code, status, Outcome::Failure, request);
        self.floods.count_only(Origin::Address(request.client), code, record);
    }

    fn unidentified(&self, cause: &str, status: u16, outcome: Outcome, request: &Arc<RequestInfo>) -> AuditRecord {
        AuditRecord {
            event: EventId::new(self.ports.ids.next()),
            at: self.ports.clock.now(),
            action: Action::AuthFailure,
            outcome,
            status,
            organisation: None,
            region: None,
            project: None,
            principal: None,
            credential: None,
            resource: None,
            decided_by: Some(cause.to_owned()),
            request: Some(Arc::clone(request)),
            details: None,
        }
    }

    /// Records that a caller is refused because they ask too often: at most once per second and principal, later when the log has no room.
    pub async fn record_rate_limited(&self, call: &Identified, target: Target<'_>, code: &'static str, status: u16) {
        let recorder = self.recorder_of(Reached::Identity(call));
        let record = self.failure(&recorder, target, code, status);
        let record = AuditRecord { outcome: Outcome::Denied, ..record };
        self.log_at_once(self.floods.count(Origin::Principal(call.caller.principal), code, record)).await;
    }

    /// Records a refusal, and gives the error that the caller hears.
    pub(crate) async fn refused(&self, recorder: &Recorder<'_>, target: Target<'_>, error: Error) -> Error {
        let record = recorder.failure(self.ports.clock.now(), target.action, audit::target(target), &error);
        recorder.log_failure(record, error).await
    }

    /// Records that a call failed where the engine could not see it: between [`authenticate`](Self::authenticate) and an operation's
    /// own record. `code` and `status` are what the caller hears. A fault on our side (500 and above) is recorded in the next round of
    /// [`housekeeping`](Self::housekeeping), at most once per principal, action and code.
    ///
    /// # Errors
    /// Those of the audit log.
    pub async fn record_failure(
        &self,
        reached: Reached<'_>,
        target: Target<'_>,
        code: &'static str,
        status: u16,
    ) -> Result<(), Error> {
        let recorder = self.recorder_of(reached);
        let record = self.failure(&recorder, target, code, status);
        if audit::is_ours(status) {
            self.count_fault(code, record);
            return Ok(());
        }
        recorder.log(record).await
    }

    fn recorder_of<'a>(&'a self, reached: Reached<'a>) -> Recorder<'a> {
        match reached {
            Reached::Identity(call) => call.recorder(self, call.only_organisation(), Place::default()),
            Reached::Myself(session) => session.recorder(self),
            Reached::Organisation(session) => session.recorder(self, Place::default()),
            Reached::Session(session) => session.recorder(self),
        }
    }

    fn failure(&self, recorder: &Recorder<'_>, target: Target<'_>, code: &str, status: u16) -> AuditRecord {
        let record = recorder.success(self.ports.clock.now(), target.action, audit::target(target), None, status);
        let outcome = if matches!(status, 401 | 403) { Outcome::Denied } else { Outcome::Failure };
        AuditRecord { outcome, decided_by: Some(code.to_owned()), ..record }
    }

    /// Records what was counted, if there is anything to be recorded now and the log takes it at once: whoever is refused hears so
    /// without waiting. Otherwise it stays counted.
    async fn log_at_once(&self, flood: Option<Unrecorded<'_>>) {
        if let Some(flood) = flood {
            // What went wrong is told by the round that records it.
            let _ = self.log_flood(flood, Duration::ZERO).await;
        }
    }

    /// What the log doesn't take stays counted.
    async fn log_flood(&self, flood: Unrecorded<'_>, patience: Duration) -> Result<(), Error> {
        if let Some(record) = flood.record() {
            self.log_within(patience, record).await??;
        }
        flood.recorded();
        Ok(())
    }

    /// Records failures that were only counted, once their source and cause had no record for a second. To be called about every second;
    /// [`housekeeping`](Self::housekeeping) does it too.
    ///
    /// # Errors
    /// Those of the audit log; what could not be recorded stays counted.
    pub async fn record_overdue_failures(&self) -> Result<(), Error> {
        self.log_floods(self.floods.take_overdue(self.ports.clock.now())).await
    }

    /// Records all failures that were only counted: for a stop, after the last call.
    ///
    /// # Errors
    /// Those of the audit log; what could not be recorded stays counted.
    pub async fn record_counted_failures(&self) -> Result<(), Error> {
        self.log_floods(self.floods.take_all()).await
    }

    /// How many failures were counted and have no record yet.
    #[must_use]
    pub fn counted_failures(&self) -> u64 {
        self.floods.waiting()
    }

    async fn log_floods(&self, floods: Vec<Unrecorded<'_>>) -> Result<(), Error> {
        for flood in floods {
            self.log_flood(flood, LOG_PATIENCE).await?;
        }
        Ok(())
    }
}
