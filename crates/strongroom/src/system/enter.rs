use crate::audit::{self, Place, Recorder};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::{Identified, Needs, Target};
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::id::OrganisationId;
use strongroom_domain::port::CommitError;
use strongroom_domain::principal::{Caller, Principal};
use strongroom_domain::unit::Unit;

/// The operator.
#[derive(Clone)]
pub struct OperatorSession {
    pub(crate) call: Identified,
}

impl OperatorSession {
    /// The caller.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        self.call.caller()
    }

    /// The call.
    #[must_use]
    pub const fn identified(&self) -> &Identified {
        &self.call
    }

    /// `organisation`: the one that the operation concerns.
    fn recorder<'a>(&'a self, engine: &'a Engine, organisation: Option<OrganisationId>) -> Recorder<'a> {
        self.call.recorder(engine, organisation, Place::default())
    }
}

/// An operation of the operator, for its records.
pub(crate) struct Operation<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) session: &'a OperatorSession,
    pub(crate) action: Action,
}

impl Operation<'_> {
    /// Commits with the record of the success; `organisation` is the one that it concerns.
    pub(crate) async fn commit(
        &self,
        unit: Unit,
        organisation: Option<OrganisationId>,
        resource: Resource,
        status: u16,
    ) -> Result<(), CommitError> {
        self.commit_access(unit, organisation, resource, None, status).await
    }

    /// The same of a change of access, which the record tells.
    pub(crate) async fn commit_access(
        &self,
        mut unit: Unit,
        organisation: Option<OrganisationId>,
        resource: Resource,
        access: Option<String>,
        status: u16,
    ) -> Result<(), CommitError> {
        let recorder = self.session.recorder(self.engine, organisation);
        let record = recorder.success(self.engine.ports.clock.now(), self.action, resource, None, status);
        unit.records.push(audit::with_access(record, access));
        self.engine.ports.committer.commit(unit).await
    }

    /// Gives the answer of a reading on, after the record of it.
    pub(crate) async fn told<T>(
        &self,
        organisation: Option<OrganisationId>,
        resource: Resource,
        outcome: Result<T, Error>,
    ) -> Result<T, Error> {
        match outcome {
            Ok(answer) => {
                let recorder = self.session.recorder(self.engine, organisation);
                let at = self.engine.ports.clock.now();
                recorder.log(recorder.success(at, self.action, resource, None, 200)).await?;
                Ok(answer)
            }
            Err(error) => self.failed(organisation, resource, Err(error)).await,
        }
    }

    /// Gives the outcome on, after the record of a failure.
    pub(crate) async fn failed<T>(
        &self,
        organisation: Option<OrganisationId>,
        resource: Resource,
        outcome: Result<T, Error>,
    ) -> Result<T, Error> {
        let error = match outcome {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let recorder = self.session.recorder(self.engine, organisation);
        let record = recorder.failure(self.engine.ports.clock.now(), self.action, resource, &error);
        Err(recorder.log_failure(record, error).await)
    }
}

impl Engine {
    /// Settles that the operator calls. A refusal is recorded.
    ///
    /// # Errors
    /// [`Code::InsufficientScope`], and [`Code::Forbidden`] for everybody else.
    pub async fn enter_operator(
        &self,
        call: Identified,
        needs: Needs,
        target: Target<'_>,
    ) -> Result<OperatorSession, Error> {
        let verdict = self.check_scope(&call, needs).and_then(|()| match call.caller.principal {
            Principal::Operator(_) => Ok(()),
            Principal::User(_) | Principal::ServiceAccount(_) => Err(Error::new(
                Code::Forbidden,
                "Only the operator of this installation may do this; use an operator token.",
            )),
        });
        match verdict {
            Ok(()) => Ok(OperatorSession { call }),
            Err(error) => Err(self.refused(&call.recorder(self, None, Place::default()), target, error).await),
        }
    }
}
