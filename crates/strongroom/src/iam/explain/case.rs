//! What is asked, brought into one form.

use super::operations::{Guard, Operation};
use super::view::Logged;
use crate::directory::Kind;
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::OrganisationSession;
use core::net::IpAddr;
use std::sync::Arc;
use strongroom_domain::audit::{Action, AuditRecord};
use strongroom_domain::directory::{
    FederatedIdentity, IdentityProvider, ObjectKind, OrganisationMember, Project, Role, ServiceAccount, Team, User,
};
use strongroom_domain::iam::{Grants, Permission, ResourceType};
use strongroom_domain::id::{CredentialId, KeyId, ProjectId, RegionId, RequestId};
use strongroom_domain::path::SecretPath;
use strongroom_domain::principal::{Caller, CredentialScopes, Principal, Reach};
use strongroom_domain::time::Timestamp;

/// What is asked.
#[derive(Clone, Debug)]
pub enum Explain {
    /// Why the call of this request id was denied, and what holds for it now.
    Request(String),
    /// Whether a call would be allowed.
    Call(Supposed),
}

/// A call that somebody might make.
#[derive(Clone, Debug)]
pub struct Supposed {
    /// Who makes it; `None` for oneself.
    pub principal: Option<Principal>,
    /// The operation, by its action in the audit log.
    pub operation: Action,
    /// The secret, for operations on one.
    pub path: Option<SecretPath>,
    /// The KMS key, for operations on one; for the creation of a secret, the one to bind it to.
    pub key: Option<KeyId>,
    /// The object of the directory, for operations on one.
    pub object: Option<String>,
    /// The region, by identity or slug, for operations on secrets and keys.
    pub region: Option<String>,
    /// The project, by identity or slug, where secrets and keys may belong to one.
    pub project: Option<String>,
    /// Where it comes from; `None` for where the question comes from.
    pub client: Option<IpAddr>,
    /// The moment of the call, for what depends on the time; `None` for now.
    pub at: Option<Timestamp>,
}

/// What a call is about.
pub(crate) enum On {
    Path(SecretPath),
    /// A key or an object, as the caller names it.
    Named(String),
    /// The type as a whole.
    All,
}

/// A call to be decided.
pub(crate) struct Case {
    pub(crate) operation: &'static Operation,
    /// Who makes it.
    pub(crate) caller: Arc<Caller>,
    pub(crate) on: On,
    /// The key to bind a new secret to.
    pub(crate) key: Option<KeyId>,
    /// `None` when the log doesn't tell.
    pub(crate) region: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) client: Option<IpAddr>,
    pub(crate) at: Timestamp,
    pub(crate) logged: Option<Logged>,
}

impl Case {
    /// What it is about, as the log keeps it.
    pub(crate) fn name(&self) -> &str {
        match &self.on {
            On::Path(path) => path.as_str(),
            On::Named(name) => name,
            On::All => "",
        }
    }
}

/// No rule names it, so that only a rule for everything covers it.
const EVERYTHING: &str = "*";

impl Engine {
    pub(super) async fn case(&self, asker: &OrganisationSession, asked: Explain) -> Result<Case, Error> {
        match asked {
            Explain::Request(request) => self.case_of_request(asker, &request).await,
            Explain::Call(supposed) => self.case_of_call(asker, supposed).await,
        }
    }

    async fn case_of_request(&self, asker: &OrganisationSession, request: &str) -> Result<Case, Error> {
        // One text, whether there is no such call or it is somebody else's.
        let unknown = || {
            Error::new(
                Code::ObjectNotFound,
                "`requestId` names no call of yours that was denied in this organisation. A call is in the log within a second; only administrators may ask about the calls of others.",
            )
        };
        let request: RequestId = request.parse().map_err(|_| unknown())?;
        let record = self.ports.audit.denied(request, asker.organisation.id).await?.ok_or_else(unknown)?;
        if record.principal != Some(asker.caller().principal) && !self.is_administrator(asker).await? {
            return Err(unknown());
        }
        let unexplained = || {
            let decider = record.decided_by.as_deref().unwrap_or("nothing that was logged");
            let action = record.action.as_str();
            Error::new(
                Code::InvalidRequest,
                format!(
                    "That call, `{action}`, was denied by `{decider}`; more can't be explained of it. Describe the call with `operation` instead."
                ),
            )
        };
        let operation = Operation::of(record.action).ok_or_else(unexplained)?;
        let principal = record.principal.ok_or_else(unexplained)?;
        let name = record.resource.as_ref().map_or("", |resource| resource.identity.as_str());
        let on = match operation.guard {
            Guard::Secret(_) | Guard::NewSecret => On::Path(name.parse().map_err(|_| unexplained())?),
            Guard::Key(_) | Guard::Object(..) if name.is_empty() => return Err(unexplained()),
            Guard::Key(_) | Guard::Object(..) => On::Named(name.to_owned()),
            Guard::New(_) | Guard::Any(_) => On::All,
        };
        Ok(Case {
            operation,
            caller: somebody(principal, asker, record.credential),
            on,
            key: None,
            region: record.region.as_ref().map(RegionId::to_string),
            project: record.project.as_ref().map(ProjectId::to_string),
            client: record.request.as_ref().and_then(|request| request.client),
            at: self.ports.clock.now(),
            logged: Some(logged(request, &record)),
        })
    }

    async fn case_of_call(&self, asker: &OrganisationSession, supposed: Supposed) -> Result<Case, Error> {
        let own = asker.caller().principal;
        let principal = supposed.principal.unwrap_or(own);
        if principal != own && !self.is_administrator(asker).await? {
            return Err(Error::new(
                Code::Forbidden,
                "Only administrators may ask about others: owners, and whoever holds `update` on all roles (`organisation_role`). Leave `principal` out to ask about yourself.",
            ));
        }
        let operation = Operation::of(supposed.operation).ok_or_else(|| {
            let known: Vec<_> = Operation::all().iter().map(|operation| operation.action().as_str()).collect();
            Error::new(
                Code::InvalidRequest,
                format!(
                    "`operation`: `{}` can't be explained; what can is {}.",
                    supposed.operation.as_str(),
                    known.join(", ")
                ),
            )
        })?;
        let wanted = |field: &str| {
            Error::new(Code::InvalidRequest, format!("`{}` wants `{field}`.", operation.action().as_str()))
        };
        let on = match operation.guard {
            Guard::Secret(_) | Guard::NewSecret => On::Path(supposed.path.ok_or_else(|| wanted("path"))?),
            Guard::Key(_) => On::Named(supposed.key.ok_or_else(|| wanted("kmsKeyIdentity"))?.to_string()),
            Guard::Object(_, kind) => {
                let object = supposed.object.filter(|object| !object.is_empty()).ok_or_else(|| wanted("identity"))?;
                check_identity(kind, &object)?;
                On::Named(object)
            }
            Guard::New(_) | Guard::Any(_) => On::All,
        };
        if operation.service().is_some() && supposed.region.is_none() {
            return Err(wanted("region"));
        }
        let caller = if principal == own { Arc::clone(&asker.call.caller) } else { somebody(principal, asker, None) };
        Ok(Case {
            operation,
            caller,
            on,
            key: supposed.key,
            region: supposed.region,
            project: supposed.project,
            client: supposed.client.or(asker.call.request.client),
            at: supposed.at.unwrap_or_else(|| self.ports.clock.now()),
            logged: None,
        })
    }

    /// Whether the caller may know what others may do: whoever may give every role everything may.
    async fn is_administrator(&self, asker: &OrganisationSession) -> Result<bool, Error> {
        let may_update =
            |grants: &Grants| grants.on(ResourceType::OrganisationRole, Permission::Update, EVERYTHING, None);
        Ok(self.allowed_there(asker, may_update).await?.is_some())
    }
}

/// A principal as it would call, whatever it shows.
fn somebody(principal: Principal, asker: &OrganisationSession, credential: Option<CredentialId>) -> Arc<Caller> {
    let credential = credential.unwrap_or(asker.caller().credential);
    let reach = Reach::Only(asker.organisation.id);
    Arc::new(Caller::new(principal, credential, CredentialScopes::ALL, reach))
}

fn logged(request: RequestId, record: &AuditRecord) -> Logged {
    Logged { request, at: record.at, decided_by: record.decided_by.clone() }
}

/// In bodies objects are named by identity only.
fn check_identity(kind: ObjectKind, text: &str) -> Result<(), Error> {
    let parse = match kind {
        ObjectKind::Team => Team::parse_id,
        ObjectKind::ServiceAccount => ServiceAccount::parse_id,
        ObjectKind::OrganisationMember => OrganisationMember::parse_id,
        ObjectKind::Role => Role::parse_id,
        ObjectKind::IdentityProvider => IdentityProvider::parse_id,
        ObjectKind::FederatedIdentity => FederatedIdentity::parse_id,
        ObjectKind::Project => Project::parse_id,
        _ => User::parse_id,
    };
    match parse(text) {
        Some(_) => Ok(()),
        None => Err(Error::new(
            Code::ObjectNotFound,
            format!(
                "`identity` names no {} here; it wants an identity, not a name or slug.",
                kind.as_str().replace('_', " ")
            ),
        )),
    }
}
