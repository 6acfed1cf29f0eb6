//! Who calls, and where: what is settled before any use case begins.

use crate::audit::{Place, Recorder};
use crate::engine::Engine;
use crate::error::{Code, Error};
use std::sync::Arc;
use strongroom_domain::audit::{Action, RequestInfo, Resource, ResourceKind};
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

/// A caller in one organisation.
#[derive(Clone)]
pub struct OrganisationSession {
    pub(crate) caller: Arc<Caller>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) organisation: Arc<Organisation>,
    pub(crate) request: RequestInfo,
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
        &self.caller
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
        &self.inner.caller
    }

    pub(crate) fn grants(&self) -> &Grants {
        &self.inner.grants
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
        request: &RequestInfo,
    ) -> Result<Arc<Caller>, Error> {
        let at = self.ports.clock.now();
        let outcome = match credential {
            None => Err(AuthenticateError::Refused),
            Some(credential) => self.ports.authenticator.authenticate(credential, at).await,
        };
        match outcome {
            Ok(caller) => Ok(caller),
            Err(error) => {
                if matches!(error, AuthenticateError::Refused) {
                    let cause = if credential.is_none() { "missing_credentials" } else { "invalid_credentials" };
                    if let Some(record) = self.auth_failures.count(cause, request, at, self.ports.ids.as_ref()) {
                        self.log(record).await?;
                    }
                }
                Err(error.into())
            }
        }
    }

    /// Settles the organisation: the one named by identity or slug, else the caller's only one.
    ///
    /// # Errors
    /// [`Code::InsufficientScope`], [`Code::OrganisationRequired`], [`Code::OrganisationDenied`].
    pub async fn enter_organisation(
        &self,
        caller: Arc<Caller>,
        organisation: Option<&str>,
        needs: Needs,
        request: RequestInfo,
    ) -> Result<OrganisationSession, Error> {
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
        let membership = self.membership(&caller, organisation.filter(|name| !name.is_empty())).await?;
        let (grants, id) = (Arc::clone(&membership.grants), membership.organisation);
        let organisation = self.organisation(id).await?.ok_or_else(denied)?;
        Ok(OrganisationSession { caller, grants, organisation, request })
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

    /// Settles gate, region and project, in this order.
    ///
    /// # Errors
    /// [`Code::FeatureDisabled`], [`Code::RegionNotFound`], [`Code::ProjectNotFound`]; the first is recorded as a denial.
    pub async fn enter(
        &self,
        session: OrganisationSession,
        service: Service,
        region: &str,
        project: Option<&str>,
        target: Target<'_>,
    ) -> Result<Session, Error> {
        let session = match self.pass_gates(session, service, project).await? {
            (session, Ok(())) => session,
            (session, Err(error)) => {
                let kind = target.resource.map_or(ResourceKind::Organisation, |(kind, _)| kind);
                let identity = target.resource.map_or("", |(_, identity)| identity).to_owned();
                let resource = Resource { kind, identity, id: None, version: None };
                let place = Place { region: None, project: None };
                let recorder = Recorder { session: &session, place, ids: self.ports.ids.as_ref() };
                self.log(recorder.failure(self.ports.clock.now(), target.action, resource, &error)).await?;
                return Err(error);
            }
        };
        let region = self.find_region(region).await?;
        if project.is_some() {
            return Err(Error::new(Code::ProjectNotFound, "There is no such project in this organisation."));
        }
        let scope = Scope { organisation: session.organisation.id, region: region.id, project: None };
        Ok(Session { inner: session, region, scope })
    }

    async fn pass_gates(
        &self,
        mut session: OrganisationSession,
        service: Service,
        project: Option<&str>,
    ) -> Result<(OrganisationSession, Result<(), Error>), Error> {
        let verdict = check_gates(&session.organisation, service, project);
        if verdict.is_ok() {
            return Ok((session, verdict));
        }
        // A gate that was opened a moment ago must not refuse out of a cache.
        let latest = self.cache.organisation(session.organisation.id, Freshness::Latest).await?;
        session.organisation = latest.ok_or_else(denied)?;
        let verdict = check_gates(&session.organisation, service, project);
        Ok((session, verdict))
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

fn check_gates(organisation: &Organisation, service: Service, project: Option<&str>) -> Result<(), Error> {
    let gates = organisation.gates;
    let closed =
        |gate: &str, message: &str| Error::new(Code::FeatureDisabled, message).decided_by(format!("gate {gate}"));
    if !gates.kms {
        return Err(closed(
            "kms",
            "KMS must be enabled first: it is switched off for this organisation; ask the operator.",
        ));
    }
    if service == Service::Secrets && !gates.secrets {
        return Err(closed("secrets", "The secrets manager is switched off for this organisation; ask the operator."));
    }
    if project.is_some() && !gates.projects {
        return Err(closed("projects", "Projects are switched off for this organisation; ask the operator."));
    }
    Ok(())
}
