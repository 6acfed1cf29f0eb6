//! What callers may do, kept in memory while the directory stays as it is.

use super::access::Access;
use super::load::Whose;
use crate::engine::Engine;
use crate::error::Error;
use crate::session::{OrganisationSession, Session};
use std::sync::Arc;
use strongroom_domain::directory::Project;
use strongroom_domain::iam::Grants;
use strongroom_domain::id::{OrganisationId, RuleId};
use strongroom_domain::port::Freshness;
use strongroom_domain::principal::{Caller, Principal};
use strongroom_domain::tenancy::Organisation;

impl Whose {
    /// A caller in an organisation, with the credential that they show.
    pub(crate) fn by(caller: &Caller, organisation: OrganisationId) -> Self {
        let credential = match caller.principal {
            Principal::ServiceAccount(_) => Some(caller.credential),
            Principal::User(_) | Principal::Operator(_) => None,
        };
        Self { organisation, principal: caller.principal, credential }
    }

    pub(crate) fn of(session: &OrganisationSession) -> Self {
        Self::by(session.caller(), session.organisation.id)
    }
}

impl Engine {
    /// What a principal may do in an organisation, with the organisation. A yes may be a second old; before a no the store is read.
    /// `None` when it is nobody there, or its credential doesn't stand.
    pub(crate) async fn access(&self, whose: Whose) -> Result<Option<(Arc<Access>, Arc<Organisation>)>, Error> {
        let now = self.ports.clock.now();
        if let Some(organisation) = self.cache.organisation(whose.organisation, Freshness::Hint).await?
            && let Some(access) = self.cache.access(&whose, organisation.revision)
            && access.stands(now)
        {
            return Ok(Some((access, organisation)));
        }
        let Some((organisation, access)) = self.read_access(whose).await? else { return Ok(None) };
        match access.filter(|access| access.stands(now)) {
            Some(access) => {
                let access = Arc::new(access);
                self.cache.keep_access(whose, Arc::clone(&access));
                Ok(Some((access, organisation)))
            }
            None => {
                self.cache.forget_access(&whose);
                Ok(None)
            }
        }
    }

    /// The rule by which the caller may do something: as the rules were read when the call came in and, before a no, as the store has
    /// them now.
    pub(crate) async fn allowed(
        &self,
        session: &Session,
        decide: impl Fn(&Grants) -> Option<RuleId>,
    ) -> Result<Option<RuleId>, Error> {
        match decide(session.grants()) {
            Some(rule) => Ok(Some(rule)),
            None => self.allowed_now(&session.inner, session.project(), decide).await,
        }
    }

    /// As [`allowed`](Self::allowed), for what belongs to the organisation as a whole.
    pub(crate) async fn allowed_there(
        &self,
        session: &OrganisationSession,
        decide: impl Fn(&Grants) -> Option<RuleId>,
    ) -> Result<Option<RuleId>, Error> {
        match decide(session.access.effective(None).grants()) {
            Some(rule) => Ok(Some(rule)),
            None => self.allowed_now(session, None, decide).await,
        }
    }

    async fn allowed_now(
        &self,
        session: &OrganisationSession,
        project: Option<&Project>,
        decide: impl Fn(&Grants) -> Option<RuleId>,
    ) -> Result<Option<RuleId>, Error> {
        if session.access.is_given() {
            return Ok(None);
        }
        let latest = self.cache.organisation(session.organisation.id, Freshness::Latest).await?;
        if latest.is_none_or(|latest| latest.revision == session.access.revision) {
            return Ok(None);
        }
        let access = self.access(Whose::of(session)).await?;
        Ok(access.and_then(|(access, _)| decide(access.effective(project).grants())))
    }

    /// The project of this identity or slug.
    pub(crate) async fn find_project(
        &self,
        organisation: &Organisation,
        name: &str,
    ) -> Result<Option<Arc<Project>>, Error> {
        if let Some(known) = self.cache.project(organisation, name) {
            return Ok(Some(known));
        }
        let found = self.object_named::<Project>(organisation.id, name).await?.map(Arc::new);
        if let Some(project) = &found {
            self.cache.keep_project(organisation, name, Arc::clone(project));
        }
        Ok(found)
    }
}
