//! Who calls, and where: what is settled before any use case begins.

use crate::audit::{Place, Recorder};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::gates::Gates;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use strongroom_domain::audit::{Action, RequestInfo, ResourceKind};
use strongroom_domain::iam::Grants;
use strongroom_domain::id::OrganisationId;
use strongroom_domain::port::{AuthenticateError, Credential, Freshness};
use strongroom_domain::principal::{Caller, Membership};
use strongroom_domain::scope::Scope;
use strongroom_domain::tenancy::{Organisation, Region};

/// What of a credential's scopes an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// `api:read`: it changes nothing.
    Read,
    /// `api:write`.
    Write,
}

/// Which of an organisation's gates an operation stands behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The secrets manager, which needs the KMS too.
    Secrets,
    /// The key management service.
    Kms,
}

/// What a call is about to do, for the record of a refusal.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// What.
    pub action: Action,
    /// To what, where the call names it.
    pub resource: Option<(ResourceKind, &'a str)>,
}

/// Who calls, with what request.
#[derive(Clone)]
pub struct Identified {
    pub(crate) caller: Arc<Caller>,
    pub(crate) request: Arc<RequestInfo>,
    /// Shared by all clones, and by the sessions that follow: they are one call.
    progress: Arc<Progress>,
}

#[derive(Default)]
struct Progress {
    has_record: AtomicBool,
    is_given_up: AtomicBool,
}

impl Identified {
    pub(crate) fn new(caller: Arc<Caller>, request: Arc<RequestInfo>) -> Self {
        Self { caller, request, progress: Arc::default() }
    }

    /// The caller.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Whether the call has left a record in the audit log. An adapter in which a call fails without one records the failure itself,
    /// with [`Engine::record_failure`].
    #[must_use]
    pub fn has_record(&self) -> bool {
        self.progress.has_record.load(Ordering::Relaxed)
    }

    pub(crate) fn mark_record(&self) {
        self.progress.has_record.store(true, Ordering::Relaxed);
    }

    /// Says that the adapter stops waiting for the call, and records itself what the caller hears instead, with
    /// [`Engine::record_failure`]. To be said before the operation's future is dropped: a record that still waits for room in the log
    /// is otherwise counted as a failure of its own.
    pub fn give_up(&self) {
        self.progress.is_given_up.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_given_up(&self) -> bool {
        self.progress.is_given_up.load(Ordering::Relaxed)
    }

    pub(crate) fn recorder<'a>(
        &'a self,
        engine: &'a Engine,
        organisation: Option<OrganisationId>,
        place: Place,
    ) -> Recorder<'a> {
        Recorder { engine, call: self, organisation, place }
    }

    /// The organisation that a record tells of before one is settled.
    pub(crate) fn only_organisation(&self) -> Option<OrganisationId> {
        match self.caller.memberships.as_slice() {
            [only] => Some(only.organisation),
            _ => None,
        }
    }
}

/// How far a call came before it failed.
#[derive(Clone, Copy)]
pub enum Reached<'a> {
    /// It is known who calls.
    Identity(&'a Identified),
    /// … and in which organisation.
    Organisation(&'a OrganisationSession),
    /// … and where.
    Session(&'a Session),
}

/// A caller in one organisation.
#[derive(Clone)]
pub struct OrganisationSession {
    pub(crate) call: Identified,
    pub(crate) grants: Arc<Grants>,
    pub(crate) organisation: Arc<Organisation>,
}

impl OrganisationSession {
    /// The organisation.
    #[must_use]
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// The caller.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        self.call.caller()
    }

    pub(crate) fn recorder<'a>(&'a self, engine: &'a Engine, place: Place) -> Recorder<'a> {
        self.call.recorder(engine, Some(self.organisation.id), place)
    }
}

/// A caller in one organisation, region and, perhaps, project, behind every gate.
#[derive(Clone)]
pub struct Session {
    pub(crate) inner: OrganisationSession,
    pub(crate) region: Arc<Region>,
    pub(crate) scope: Scope,
}

impl Session {
    /// Where the caller acts.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The organisation.
    #[must_use]
    pub fn organisation(&self) -> &Organisation {
        &self.inner.organisation
    }

    /// The caller.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        self.inner.caller()
    }

    pub(crate) fn grants(&self) -> &Grants {
        &self.inner.grants
    }

    pub(crate) fn recorder<'a>(&'a self, engine: &'a Engine) -> Recorder<'a> {
        self.inner.recorder(engine, Place { region: Some(self.region.id), project: self.scope.project })
    }
}

impl Engine {
    /// Tells who calls. A refusal is counted, and recorded at most once per second, source and cause.
    ///
    /// # Errors
    /// [`Code::Unauthenticated`] without a credential or with one that isn't valid.
    pub async fn authenticate(
        &self,
        credential: Option<&Credential>,
        request: Arc<RequestInfo>,
    ) -> Result<Identified, Error> {
        let at = self.ports.clock.now();
        let outcome = match credential {
            None => Err(AuthenticateError::Refused),
            Some(credential) => self.ports.authenticator.authenticate(credential, at).await,
        };
        match outcome {
            Ok(caller) => Ok(Identified::new(caller, request)),
            Err(error) => {
                if matches!(error, AuthenticateError::Refused) {
                    let cause = if credential.is_none() { "missing_credentials" } else { "invalid_credentials" };
                    self.record_refused_credential(cause, &request).await;
                }
                Err(error.into())
            }
        }
    }

    /// Settles the organisation: the one named by identity or slug, else the caller's only one. A refusal is recorded, in the
    /// organisation that it concerns if the caller is a member.
    ///
    /// # Errors
    /// [`Code::InsufficientScope`], [`Code::OrganisationRequired`], [`Code::OrganisationDenied`].
    pub async fn enter_organisation(
        &self,
        call: Identified,
        organisation: Option<&str>,
        needs: Needs,
        target: Target<'_>,
    ) -> Result<OrganisationSession, Error> {
        let name = organisation.filter(|name| !name.is_empty());
        match self.settle_organisation(&call.caller, name, needs).await {
            Ok((grants, organisation)) => Ok(OrganisationSession { call, grants, organisation }),
            Err(error) => {
                let concerned = match error.code() {
                    Code::InsufficientScope => self.membership(&call.caller, name).await.ok().map(|it| it.organisation),
                    _ => None,
                };
                Err(self.refused(&call.recorder(self, concerned, Place::default()), target, error).await)
            }
        }
    }

    async fn settle_organisation(
        &self,
        caller: &Caller,
        name: Option<&str>,
        needs: Needs,
    ) -> Result<(Arc<Grants>, Arc<Organisation>), Error> {
        let (allowed, scope) = match needs {
            Needs::Read => (caller.scopes.read, "api:read"),
            Needs::Write => (caller.scopes.write, "api:write"),
        };
        if !allowed {
            return Err(Error::new(
                Code::InsufficientScope,
                format!("The credential lacks the scope `{scope}`; use one that was made with it."),
            ));
        }
        let membership = self.membership(caller, name).await?;
        let organisation = self.organisation(membership.organisation).await?.ok_or_else(denied)?;
        Ok((Arc::clone(&membership.grants), organisation))
    }

    async fn membership<'a>(&self, caller: &'a Caller, name: Option<&str>) -> Result<&'a Membership, Error> {
        let member_of = |id: OrganisationId| caller.memberships.iter().find(|membership| membership.organisation == id);
        let Some(name) = name else {
            return match caller.memberships.as_slice() {
                [only] => Ok(only),
                [] => Err(denied()),
                _ => Err(Error::new(
                    Code::OrganisationRequired,
                    "The credential can act in more than one organisation; name one in the header `X-Organisation-Identity`.",
                )),
            };
        };
        // The organisation that was named by identity is most often one of the caller's: no look-up then.
        if let Some(membership) = name.parse().ok().and_then(member_of) {
            return Ok(membership);
        }
        for membership in &caller.memberships {
            if self.organisation(membership.organisation).await?.is_some_and(|organisation| organisation.slug == name) {
                return Ok(membership);
            }
        }
        Err(denied())
    }

    async fn organisation(&self, id: OrganisationId) -> Result<Option<Arc<Organisation>>, Error> {
        match self.cache.organisation(id, Freshness::Hint).await? {
            None => Ok(self.cache.organisation(id, Freshness::Latest).await?),
            found => Ok(found),
        }
    }

    /// Settles gate, region and project, in this order. A refusal is recorded.
    ///
    /// # Errors
    /// [`Code::FeatureDisabled`], [`Code::RegionNotFound`], [`Code::ProjectNotFound`].
    pub async fn enter(
        &self,
        session: OrganisationSession,
        service: Service,
        region: &str,
        project: Option<&str>,
        target: Target<'_>,
    ) -> Result<Session, Error> {
        let gates = Gates { service: Some(service), project: project.is_some() };
        let (session, passed) = self.pass_gates(session, gates).await;
        let mut place = Place::default();
        let settled = match passed {
            Ok(()) => self.settle_region(region, project, &mut place).await,
            Err(error) => Err(error),
        };
        match settled {
            Ok(region) => {
                let scope = Scope { organisation: session.organisation.id, region: region.id, project: None };
                Ok(Session { inner: session, region, scope })
            }
            Err(error) => Err(self.refused(&session.recorder(self, place), target, error).await),
        }
    }

    async fn settle_region(&self, name: &str, project: Option<&str>, place: &mut Place) -> Result<Arc<Region>, Error> {
        let region = self.find_region(name).await?;
        place.region = Some(region.id);
        if project.is_some() { Err(no_such_project()) } else { Ok(region) }
    }

    /// Whether all gates are open, and the session with the organisation as it was read for that.
    pub(crate) async fn pass_gates(
        &self,
        mut session: OrganisationSession,
        gates: Gates,
    ) -> (OrganisationSession, Result<(), Error>) {
        let verdict = gates.check(&session.organisation);
        if verdict.is_ok() {
            return (session, verdict);
        }
        // A gate that was opened a moment ago must not refuse out of a cache.
        let verdict = match self.cache.organisation(session.organisation.id, Freshness::Latest).await {
            Ok(Some(latest)) => {
                session.organisation = latest;
                gates.check(&session.organisation)
            }
            Ok(None) => Err(denied()),
            Err(error) => Err(error.into()),
        };
        (session, verdict)
    }

    pub(crate) async fn find_region(&self, name: &str) -> Result<Arc<Region>, Error> {
        for freshness in [Freshness::Hint, Freshness::Latest] {
            let regions = self.cache.regions(freshness).await?;
            let by_identity = name.parse().ok().and_then(|id| regions.iter().find(|region| region.id == id));
            if let Some(region) = by_identity.or_else(|| regions.iter().find(|region| region.slug == name)) {
                return Ok(Arc::clone(region));
            }
        }
        Err(Error::new(Code::RegionNotFound, "There is no such region; `GET /v1/regions` lists them."))
    }
}

fn denied() -> Error {
    // One text, whether the organisation is unknown or another's.
    Error::new(
        Code::OrganisationDenied,
        "The organisation does not exist, or you are not a member; check the header `X-Organisation-Identity`.",
    )
}

pub(crate) fn no_such_project() -> Error {
    Error::new(
        Code::ProjectNotFound,
        "There is no such project in this organisation; check the header `X-Project-Identity`, or the query parameter `project`.",
    )
}
