use crate::audit::{Place, Recorder};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::{Identified, Needs, Target};
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::id::OrganisationId;
use strongroom_domain::principal::{Caller, Principal, Reach};

/// A caller who asks about themselves, in no organisation.
#[derive(Clone)]
pub struct IdentitySession {
    pub(crate) call: Identified,
    /// The only organisation where the caller can act, if it is one: its log keeps the records.
    organisation: Option<OrganisationId>,
}

impl IdentitySession {
    /// The caller.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        self.call.caller()
    }

    pub(crate) fn recorder<'a>(&'a self, engine: &'a Engine) -> Recorder<'a> {
        self.call.recorder(engine, self.organisation, Place::default())
    }

    /// Gives an answer without a value on, after the record of it.
    pub(crate) async fn told<T>(
        &self,
        engine: &Engine,
        action: Action,
        resource: Resource,
        outcome: Result<T, Error>,
    ) -> Result<T, Error> {
        match outcome {
            Ok(answer) => {
                let recorder = self.recorder(engine);
                recorder.log(recorder.success(engine.ports.clock.now(), action, resource, None, 200)).await?;
                Ok(answer)
            }
            Err(error) => Err(self.failed(engine, action, resource, error).await),
        }
    }

    /// The error that the caller hears, after the record of it.
    pub(crate) async fn failed(&self, engine: &Engine, action: Action, resource: Resource, error: Error) -> Error {
        let recorder = self.recorder(engine);
        let record = recorder.failure(engine.ports.clock.now(), action, resource, &error);
        recorder.log_failure(record, error).await
    }
}

impl Engine {
    /// Settles what a caller needs to ask about themselves: the scope of the credential. A refusal is recorded.
    ///
    /// # Errors
    /// [`Code::InsufficientScope`](crate::Code::InsufficientScope), and those of the store.
    pub async fn enter_identity(
        &self,
        call: Identified,
        needs: Needs,
        target: Target<'_>,
    ) -> Result<IdentitySession, Error> {
        let organisation = self.organisation_of_records(&call).await?;
        match self.check_scope(&call, needs) {
            Ok(()) => Ok(IdentitySession { call, organisation }),
            Err(error) => Err(self.refused(&call.recorder(self, organisation, Place::default()), target, error).await),
        }
    }

    async fn organisation_of_records(&self, call: &Identified) -> Result<Option<OrganisationId>, Error> {
        let caller = call.caller();
        let (Principal::User(user), Reach::Memberships) = (caller.principal, &caller.reach) else {
            return Ok(call.only_organisation());
        };
        let members = self.memberships(user).await?;
        Ok(match members.as_slice() {
            [only] => Some(only.organisation),
            _ => None,
        })
    }
}
