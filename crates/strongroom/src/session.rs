//! Who calls, and where: what is settled before any use case begins.

use crate::audit::{Place, Recorder};
use crate::directory::Access;
use crate::engine::Engine;
use crate::iam::me::IdentitySession;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use strongroom_domain::audit::{Action, RequestInfo, ResourceKind};
use strongroom_domain::directory::Project;
use strongroom_domain::iam::{Effective, Grants};
use strongroom_domain::id::OrganisationId;
use strongroom_domain::principal::{Caller, Reach};
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
        match &self.caller.reach {
            Reach::Only(organisation) => Some(*organisation),
            Reach::Given(memberships) => match memberships.as_slice() {
                [only] => Some(only.organisation),
                _ => None,
            },
            Reach::Memberships => None,
        }
    }
}

/// How far a call came before it failed.
#[derive(Clone, Copy)]
pub enum Reached<'a> {
    /// It is known who calls.
    Identity(&'a Identified),
    /// … and that they ask about themselves.
    Myself(&'a IdentitySession),
    /// … and in which organisation.
    Organisation(&'a OrganisationSession),
    /// … and where.
    Session(&'a Session),
}

/// A caller in one organisation.
#[derive(Clone)]
pub struct OrganisationSession {
    pub(crate) call: Identified,
    /// What the caller may do there.
    pub(crate) access: Arc<Access>,
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
    pub(crate) project: Option<Arc<Project>>,
    /// The rules that apply here.
    pub(crate) effective: Arc<Effective>,
    pub(crate) scope: Scope,
}

impl Session {
    pub(crate) fn new(inner: OrganisationSession, region: Arc<Region>, project: Option<Arc<Project>>) -> Self {
        let effective = inner.access.effective(project.as_deref());
        let scope = Scope {
            organisation: inner.organisation.id,
            region: region.id,
            project: project.as_ref().map(|project| project.id),
        };
        Self { inner, region, project, effective, scope }
    }

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

    /// The project, if the caller acts in one.
    #[must_use]
    pub fn project(&self) -> Option<&Project> {
        self.project.as_deref()
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

    /// The rules as they were read when the call came in. What they refuse is to be asked again: see [`Engine::allowed`].
    pub(crate) fn grants(&self) -> &Grants {
        self.effective.grants()
    }

    pub(crate) fn recorder<'a>(&'a self, engine: &'a Engine) -> Recorder<'a> {
        self.inner.recorder(engine, Place { region: Some(self.region.id), project: self.scope.project })
    }
}
