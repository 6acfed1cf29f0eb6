use crate::audit;
use crate::engine::Engine;
use crate::error::Error;
use std::sync::Arc;
use strongroom_domain::audit::{Action, AuditRecord, Outcome, RequestInfo, Resource};
use strongroom_domain::id::{EventId, OrganisationId};

/// No token is given.
pub(super) struct Refused {
    pub(super) error: Error,
    /// The organisation whose credential or provider was shown, and which of its objects, as far as it is known.
    pub(super) concerned: Option<(OrganisationId, Option<Resource>)>,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { error, concerned: None }
    }
}

impl Refused {
    pub(super) const fn of(organisation: OrganisationId, resource: Option<Resource>, error: Error) -> Self {
        Self { error, concerned: Some((organisation, resource)) }
    }
}

impl Engine {
    /// Sees to the record of a refusal, and gives the error that the client hears. Whoever asks for a token has proven nothing, so that
    /// refusals are counted like those of unknown callers; they stand in the log of the organisation that they concern.
    pub(super) async fn refuse_token(&self, action: Action, refused: Refused, request: &Arc<RequestInfo>) -> Error {
        let Refused { error, concerned } = refused;
        let (code, status) = (error.code().as_str(), error.code().status());
        match concerned {
            None if audit::is_ours(status) => self.count_unidentified(code, status, request),
            None => self.record_refused(code, status, request).await,
            Some((organisation, resource)) => {
                let is_ours = audit::is_ours(status);
                let record = AuditRecord {
                    event: EventId::new(self.ports.ids.next()),
                    at: self.ports.clock.now(),
                    action,
                    outcome: if is_ours { Outcome::Failure } else { Outcome::Denied },
                    status,
                    organisation: Some(organisation),
                    region: None,
                    project: None,
                    principal: None,
                    credential: None,
                    resource,
                    decided_by: Some(error.decider()),
                    request: Some(Arc::clone(request)),
                    details: None,
                };
                self.record_refused_in(organisation, code, record.tamed()).await;
            }
        }
        error
    }
}
