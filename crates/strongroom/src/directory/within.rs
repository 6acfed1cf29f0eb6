//! What is made in a project is made while the project is there.

use crate::engine::{Engine, MAX_TRIES};
use crate::enter::{denied, no_such_project};
use crate::error::{Error, busy};
use crate::session::Session;
use std::sync::Arc;
use strongroom_domain::directory::Project;
use strongroom_domain::port::{CommitError, CommitErrorKind, Freshness};
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::unit::{AggregateId, Expect, Unit};

impl Engine {
    /// Commits what makes a new secret or key in the session's scope. In a project only while it is there: at the revision of the
    /// organisation at which the project was read. Together with [`Expect::Empty`], at which a project is deleted, nothing is ever left
    /// in a project that is gone. What exists already keeps its project from being deleted, so later changes of it needn't ask.
    ///
    /// The outer error: the project is gone, or it can't be told.
    pub(crate) async fn commit_within(&self, session: &Session, unit: Unit) -> Result<Result<(), CommitError>, Error> {
        let Some(project) = session.project() else { return Ok(self.ports.committer.commit(unit).await) };
        let mut organisation = Arc::clone(&session.inner.organisation);
        for attempt in 0..MAX_TRIES {
            if attempt > 0 {
                self.back_off(attempt).await?;
                organisation = self.organisation_with(project).await?;
            }
            let aggregate = AggregateId::Organisation(organisation.id);
            let mut unit = unit.clone();
            unit.expect.push(Expect::Revision(aggregate, organisation.revision));
            match self.ports.committer.commit(unit).await {
                Err(error) if matches!(error.kind(), CommitErrorKind::Conflict(Expect::Revision(which, _)) if *which == aggregate) =>
                    {}
                outcome => return Ok(outcome),
            }
        }
        Err(busy())
    }

    /// The organisation of a project that is still there, as it was when the project was.
    async fn organisation_with(&self, project: &Project) -> Result<Arc<Organisation>, Error> {
        let organisation =
            self.cache.organisation(project.organisation, Freshness::Latest).await?.ok_or_else(denied)?;
        let found = self.object_by_id::<Project>(Some(organisation.id), project.id.uuid()).await?;
        found.map(|_| organisation).ok_or_else(no_such_project)
    }
}
