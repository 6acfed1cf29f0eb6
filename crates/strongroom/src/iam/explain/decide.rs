//! The decision, up to the rules; what follows is in [`beyond`](super::beyond).

use super::case::{Case, On};
use super::operations::Guard;
use super::view::Stage;
use crate::directory::{Access, Kind, Whose};
use crate::engine::Engine;
use crate::enter::denied;
use crate::error::{Code, Error};
use crate::gates::Gates;
use crate::secret::MAXIMUM_WANTS_DELETE;
use crate::session::{Identified, OrganisationSession, Session};
use std::sync::Arc;
use strongroom_domain::audit::{Action, RequestInfo};
use strongroom_domain::directory::{
    FederatedIdentity, IdentityProvider, ObjectKind, OrganisationMember, Project, Role, ServiceAccount, Team,
};
use strongroom_domain::iam::{Denial, Explanation, Permission, Question, Target, explain};
use strongroom_domain::id::{BindingId, RoleId, RuleId};
use strongroom_domain::kms::Key;
use strongroom_domain::tenancy::Organisation;

/// What decided, and how.
pub(crate) struct Decision {
    pub(crate) stage: Stage,
    /// The rule that allows it.
    pub(crate) rule: Option<RuleId>,
    /// Why it is refused.
    pub(crate) refusal: Option<Refusal>,
    pub(crate) policy_entry: Option<String>,
    /// What was not looked at, and why.
    pub(crate) unchecked: Option<String>,
    /// The role and the binding that the rule came through.
    pub(crate) source: Option<(RoleId, BindingId)>,
    pub(crate) is_owner: bool,
}

/// Why something is refused.
pub(crate) struct Refusal {
    /// A sentence.
    pub(crate) reason: String,
    /// What would have to change, as a sentence.
    pub(crate) remedy: Option<String>,
    /// What rules would have to give.
    pub(crate) denial: Option<Denial>,
    pub(crate) gate: Option<String>,
}

impl Decision {
    const fn at(stage: Stage) -> Self {
        Self { stage, rule: None, refusal: None, policy_entry: None, unchecked: None, source: None, is_owner: false }
    }
}

impl Refusal {
    pub(crate) const fn new(reason: String, remedy: Option<String>) -> Self {
        Self { reason, remedy, denial: None, gate: None }
    }

    /// What a real call would hear, which says what to do.
    pub(crate) fn heard(error: &Error) -> Self {
        Self::new(error.to_string(), None)
    }
}

/// What the call is about, as it was found.
pub(crate) enum Found {
    Key(Arc<Key>),
    /// An object of the directory: its identity and slug.
    Object(String, Option<String>),
    /// Nothing that has to be looked for before rules are asked, or that is there.
    Nothing,
}

/// A principal who got as far as the rules.
pub(crate) struct Admitted {
    pub(crate) inner: OrganisationSession,
    pub(crate) project: Option<Arc<Project>>,
    /// `None` where operations have no region, or it isn't known.
    pub(crate) session: Option<Session>,
    pub(crate) found: Found,
}

impl Engine {
    pub(super) async fn decide_case(&self, asker: &OrganisationSession, case: &Case) -> Result<Decision, Error> {
        let (organisation, access) = self.access_of(asker, case).await?;
        let refused = |stage, refusal| Decision { refusal: Some(refusal), ..Decision::at(stage) };
        let Some(access) = access else {
            let reason = "There is no such principal in this organisation.".to_owned();
            let remedy = "Check the identity; a user can be made a member, a service account belongs to the organisation where it was made.";
            return Ok(refused(Stage::Membership, Refusal::new(reason, Some(remedy.to_owned()))));
        };
        let operation = case.operation;
        let names_project = case.project.is_some() || case.caller.project.is_some();
        let service = operation.service();
        let gates = Gates { service, project: operation.is_of_projects() || (service.is_some() && names_project) };
        if let Err(error) = gates.check(&organisation) {
            let gate = error.decider().strip_prefix("gate ").map(str::to_owned);
            let remedy =
                gate.as_ref().map(|gate| format!("The operator can open the gate `{gate}` of this organisation."));
            return Ok(refused(Stage::Gate, Refusal { gate, ..Refusal::new(error.to_string(), remedy) }));
        }
        let request = RequestInfo { client: case.client, ..RequestInfo::clone(&asker.call.request) };
        let call = Identified::new(Arc::clone(&case.caller), Arc::new(request));
        let inner = OrganisationSession { call, access, organisation };
        let mut admitted = Admitted { inner, project: None, session: None, found: Found::Nothing };
        if service.is_some()
            && let Err((stage, error)) = self.admit(case, &mut admitted).await?
        {
            return Ok(refused(stage, Refusal::heard(&error)));
        }
        admitted.found = self.find_before_rules(case, &admitted).await?;
        match self.ask_rules(case, &admitted) {
            Explanation::Denied(_) if self.is_leaving(case, &admitted).await? => Ok(Decision::at(Stage::Iam)),
            Explanation::Denied(denial) => {
                let reason = "No rule allows it.".to_owned();
                let refusal = Refusal { denial: Some(denial), ..Refusal::new(reason, None) };
                Ok(refused(Stage::Iam, refusal))
            }
            Explanation::Allowed { rule, source } => {
                let no_maximum = maximum_denial(case, &admitted);
                if let Some(denial) = &no_maximum
                    && sets_maximum(case)
                {
                    let reason = "Setting or lowering `maxActiveVersions` also needs `delete`, which no rule allows.";
                    let refusal = Refusal { denial: Some(denial.clone()), ..Refusal::new(reason.to_owned(), None) };
                    return Ok(refused(Stage::Iam, refusal));
                }
                let is_owner = admitted.inner.access.is_owner();
                let decision = Decision { rule: Some(rule), source, is_owner, ..Decision::at(Stage::Iam) };
                let mut decision = self.beyond_rules(asker, case, &admitted, decision).await?;
                if no_maximum.is_some() && decision.refusal.is_none() && decision.unchecked.is_none() {
                    let unchecked = "What it changes wasn't looked at: setting or lowering `maxActiveVersions` also needs `delete`, which no rule allows.";
                    decision.unchecked = Some(unchecked.to_owned());
                }
                Ok(decision)
            }
        }
    }

    /// Whether the principal would leave the organisation, which takes no rule.
    async fn is_leaving(&self, case: &Case, admitted: &Admitted) -> Result<bool, Error> {
        let (Action::IamMemberDelete, On::Named(name)) = (case.operation.action(), &case.on) else { return Ok(false) };
        Ok(self.own_membership(&admitted.inner, name).await?.is_some())
    }

    /// What the principal is and may do, as the store has it now.
    async fn access_of(
        &self,
        asker: &OrganisationSession,
        case: &Case,
    ) -> Result<(Arc<Organisation>, Option<Arc<Access>>), Error> {
        if case.caller.principal == asker.caller().principal {
            let (organisation, access) = self.latest_access(asker).await?;
            return Ok((organisation, Some(access)));
        }
        // Whatever credential they show.
        let whose = Whose { organisation: asker.organisation.id, principal: case.caller.principal, credential: None };
        let (organisation, access) = self.read_access(whose).await?.ok_or_else(denied)?;
        Ok((organisation, access.map(Arc::new)))
    }

    /// Settles region and project.
    async fn admit(&self, case: &Case, admitted: &mut Admitted) -> Result<Result<(), (Stage, Error)>, Error> {
        let region = match &case.region {
            None => None,
            Some(region) => match self.find_region(region).await {
                Ok(region) => Some(region),
                Err(error) if error.code() == Code::RegionNotFound => return Ok(Err((Stage::Region, error))),
                Err(error) => return Err(error),
            },
        };
        admitted.project = match self.settle_project(&admitted.inner, case.project.as_deref()).await {
            Ok(project) => project,
            Err(error) if matches!(error.code(), Code::ProjectNotFound | Code::ProjectDenied) => {
                return Ok(Err((Stage::Project, error)));
            }
            Err(error) => return Err(error),
        };
        admitted.session = region.map(|region| Session::new(admitted.inner.clone(), region, admitted.project.clone()));
        Ok(Ok(()))
    }

    /// What real calls look for before they ask the rules, because rules may name it by slug. Never a secret.
    async fn find_before_rules(&self, case: &Case, admitted: &Admitted) -> Result<Found, Error> {
        let On::Named(name) = &case.on else { return Ok(Found::Nothing) };
        let organisation = admitted.inner.organisation.id;
        let found = match case.operation.guard {
            Guard::Key(_) => {
                let Some(session) = &admitted.session else { return Ok(Found::Nothing) };
                return Ok(self.key_named(&session.scope(), name).await?.map_or(Found::Nothing, Found::Key));
            }
            Guard::Object(_, kind) => match kind {
                ObjectKind::Team => found(self.object_named::<Team>(organisation, name).await?),
                ObjectKind::ServiceAccount => found(self.object_named::<ServiceAccount>(organisation, name).await?),
                ObjectKind::Role => found(self.object_named::<Role>(organisation, name).await?),
                ObjectKind::OrganisationMember => {
                    found(self.object_named::<OrganisationMember>(organisation, name).await?)
                }
                ObjectKind::IdentityProvider => found(self.object_named::<IdentityProvider>(organisation, name).await?),
                ObjectKind::FederatedIdentity => {
                    found(self.object_named::<FederatedIdentity>(organisation, name).await?)
                }
                ObjectKind::Project => found(self.object_named::<Project>(organisation, name).await?),
                ObjectKind::User => match name.parse() {
                    Ok(user) => found(self.member(organisation, user).await?),
                    Err(_) => Found::Nothing,
                },
                _ => Found::Nothing,
            },
            _ => Found::Nothing,
        };
        Ok(found)
    }

    fn ask_rules(&self, case: &Case, admitted: &Admitted) -> Explanation {
        let access = &admitted.inner.access;
        let effective = access.effective(admitted.project.as_deref());
        let ask = |target| {
            let question = Question { target, any_of: case.operation.any_of() };
            explain(&effective, access.bound(), &question)
        };
        let kind = case.operation.resource();
        let explanation = match (&case.on, &admitted.found) {
            (On::Path(path), _) => ask(Target::Secret(path)),
            (On::Named(_), Found::Key(key)) => ask(Target::Key(key.spec.id, &key.slug)),
            (On::Named(_), Found::Object(identity, slug)) => ask(Target::Named(kind, identity, slug.as_deref())),
            (On::Named(name), Found::Nothing) => ask(Target::Named(kind, name, Some(name))),
            (On::All, _) => match case.operation.guard {
                Guard::New(_) => ask(Target::Named(kind, "", None)),
                _ => ask(Target::Any(kind)),
            },
        };
        match (explanation, &case.on) {
            // What came near must be the same whether the object is there or not: it is told by the name alone.
            (Explanation::Denied(_), On::Named(name)) => match ask(Target::Named(kind, name, None)) {
                Explanation::Denied(denial) => Explanation::Denied(named_denial(denial, case)),
                Explanation::Allowed { .. } => Explanation::Denied(denial(case)),
            },
            (Explanation::Denied(denial), On::All) => Explanation::Denied(Denial { identity: None, ..denial }),
            (explanation, _) => explanation,
        }
    }
}

/// What a patch lacks that sets or lowers a maximum.
fn maximum_denial(case: &Case, admitted: &Admitted) -> Option<Denial> {
    let (Action::SecretMetadataUpdate, On::Path(path)) = (case.operation.action(), &case.on) else { return None };
    let access = &admitted.inner.access;
    let question = Question { target: Target::Secret(path), any_of: &[Permission::Delete] };
    match explain(&access.effective(admitted.project.as_deref()), access.bound(), &question) {
        Explanation::Allowed { .. } => None,
        Explanation::Denied(denial) => Some(denial),
    }
}

/// Whether the log tells that the call would have set or lowered a maximum.
fn sets_maximum(case: &Case) -> bool {
    case.logged.as_ref().and_then(|logged| logged.decided_by.as_deref()) == Some(MAXIMUM_WANTS_DELETE)
}

/// Rules name users by their memberships, which those who may not read them aren't told.
fn named_denial(denial: Denial, case: &Case) -> Denial {
    match case.operation.guard {
        Guard::Object(_, ObjectKind::User) => Denial { identity: None, ..denial },
        _ => denial,
    }
}

fn denial(case: &Case) -> Denial {
    let operation = case.operation;
    let any_of = operation.any_of().to_vec();
    named_denial(
        Denial { resource: operation.resource(), any_of, identity: Some(case.name().to_owned()), near: Vec::new() },
        case,
    )
}

fn found<T: Kind>(object: Option<T>) -> Found {
    object.map_or(Found::Nothing, |object| Found::Object(object.identity(), object.slug().map(str::to_owned)))
}
