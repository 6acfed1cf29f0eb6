//! What decides after the rules, told to those only who may read the object.

use super::case::{Case, On};
use super::decide::{Admitted, Decision, Found, Refusal};
use super::operations::{Beyond, Guard, KeyUse};
use super::view::Stage;
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::permit::no_such;
use crate::kms;
use crate::secret;
use crate::session::{OrganisationSession, Session};
use std::sync::Arc;
use strongroom_domain::directory::{
    FederatedIdentity, IdentityProvider, ObjectKind, OrganisationMember, Project, Role, ServiceAccount, Team, User,
};
use strongroom_domain::iam::{Effective, Permission, ResourceType};
use strongroom_domain::id::is_named;
use strongroom_domain::kms::KeyStateError;
use strongroom_domain::path::SecretPath;
use strongroom_domain::policy::{PolicyDecision, PolicyOperation, PolicyRequest};
use strongroom_domain::secret::Secret;

/// What stopped a call after the rules.
pub(crate) type Stop = (Stage, Refusal);

impl Decision {
    fn stopped(self, stop: Option<Stop>) -> Self {
        match stop {
            Some((stage, refusal)) => Self { stage, refusal: Some(refusal), ..self },
            None => self,
        }
    }

    fn without(self, what: impl Into<String>) -> Self {
        Self { unchecked: Some(what.into()), ..self }
    }
}

impl Engine {
    pub(super) async fn beyond_rules(
        &self,
        asker: &OrganisationSession,
        case: &Case,
        admitted: &Admitted,
        decision: Decision,
    ) -> Result<Decision, Error> {
        if case.operation.service().is_some() && admitted.session.is_none() {
            return Ok(decision
                .without("The log doesn't tell the region of that call, so that only the rules were looked at."));
        }
        let reading = self.reading(asker, admitted).await?;
        if !may_read(reading.as_deref(), case, admitted) {
            return Ok(
                decision.without("What comes after the rules isn't told to those who may not `read` the object.")
            );
        }
        match (case.operation.guard, &admitted.session, &case.on) {
            (Guard::Secret(beyond), Some(session), On::Path(path)) => {
                self.on_secret(case, session, path, beyond, decision).await
            }
            (Guard::NewSecret, Some(session), On::Path(path)) => {
                self.on_new_secret(case, session, path, reading.as_deref(), decision).await
            }
            (Guard::Key(usage), Some(session), _) => {
                Ok(decision.stopped(self.on_key(session, &admitted.found, usage, case)))
            }
            (Guard::New(_), Some(session), _) => Ok(decision.stopped(self.on_kms(session))),
            // Secrets can be listed without a KMS, keys can't.
            (Guard::Any(ResourceType::KmsKey), Some(session), _) => Ok(decision.stopped(self.on_kms(session))),
            (Guard::Object(_, kind), _, _) if matches!(admitted.found, Found::Nothing) => {
                Ok(decision.stopped(Some((Stage::Existence, Refusal::heard(&missing(kind))))))
            }
            _ => Ok(decision),
        }
    }

    /// The rules of the asker in the project that the call is about; `None` when their credential doesn't reach it.
    async fn reading(&self, asker: &OrganisationSession, admitted: &Admitted) -> Result<Option<Arc<Effective>>, Error> {
        let project = admitted.project.as_deref();
        if let Some(bound) = &asker.caller().project {
            let is_it = |project: &Project| is_named(bound, &project.id, &project.named.slug);
            if !project.is_some_and(is_it) {
                return Ok(None);
            }
        }
        let (_, access) = self.latest_access(asker).await?;
        Ok(Some(access.effective(project)))
    }

    async fn on_secret(
        &self,
        case: &Case,
        session: &Session,
        path: &SecretPath,
        beyond: Beyond,
        decision: Decision,
    ) -> Result<Decision, Error> {
        let Some(secret) = self.ports.secrets.find(&session.scope(), path).await? else {
            return Ok(decision.stopped(Some((Stage::Existence, Refusal::heard(&secret::not_found())))));
        };
        let Beyond::PolicyAndKey(operation, permission) = beyond else { return Ok(decision) };
        if let Some(stop) = self.versions_stop(&secret, operation, case) {
            return Ok(decision.stopped(Some(stop)));
        }
        let decision = match ask_policy(&secret, operation, session, case) {
            Ok(entry) => Decision { policy_entry: entry, ..decision },
            Err(entry) => {
                let reason = format!("The access policy of the secret forbids it ({entry}).");
                let remedy = "Change the access policy (`PUT …/policy`, permission `update`), or call when and from where it lets pass.";
                let stop = (Stage::AccessPolicy, Refusal::new(reason, Some(remedy.to_owned())));
                return Ok(Decision { policy_entry: Some(entry), ..decision }.stopped(Some(stop)));
            }
        };
        let stop = match self.key_stop(session, path, &secret, permission, &decision).await? {
            Some(stop) => Some(stop),
            None => self.on_kms(session),
        };
        Ok(decision.stopped(stop))
    }

    /// Whether the secret has a version to reveal, or room for one more.
    fn versions_stop(&self, secret: &Secret, operation: PolicyOperation, case: &Case) -> Option<Stop> {
        let refusal = match operation {
            PolicyOperation::Reveal if secret.state.head.current.is_none() => {
                let remedy = "Put a new version.".to_owned();
                Refusal::new("Every version of the secret is destroyed.".to_owned(), Some(remedy))
            }
            PolicyOperation::Reveal => return None,
            PolicyOperation::Put => {
                Refusal::heard(&secret.state.appended(case.at, self.limits.versions_of(secret)).err()?.into())
            }
        };
        Some((Stage::Existence, refusal))
    }

    fn on_key(&self, session: &Session, found: &Found, usage: KeyUse, case: &Case) -> Option<Stop> {
        let Found::Key(key) = found else { return Some((Stage::Existence, Refusal::heard(&kms::not_found()))) };
        let active = || key.check_usable().map_err(Error::from);
        let state = match usage {
            KeyUse::Any => Ok(()),
            KeyUse::Active => active(),
            KeyUse::Typed(can, what) => kms::check_type(key.spec.key_type, can, what),
            KeyUse::Made(can, what) => kms::check_type(key.spec.key_type, can, what).and_then(|()| active()),
            KeyUse::Exported => kms::check_export(key).and_then(|()| active()),
            KeyUse::Live if key.is_live() => Ok(()),
            KeyUse::Live => Err(KeyStateError::PendingDeletion.into()),
            KeyUse::Rotated => key.may_rotate().map_err(Error::from),
            KeyUse::Switched(on) => key.switched(on, case.at).map(drop).map_err(Error::from),
        };
        match state {
            Ok(()) => self.on_kms(session),
            Err(error) => Some((Stage::KeyState, Refusal::heard(&error))),
        }
    }

    pub(super) fn on_kms(&self, session: &Session) -> Option<Stop> {
        self.kms(session.region()).err().map(|error| (Stage::Kms, Refusal::heard(&error)))
    }
}

/// Whether the asker may read what the call is about. What has no identity has nothing that could be told.
fn may_read(reading: Option<&Effective>, case: &Case, admitted: &Admitted) -> bool {
    let Some(reading) = reading else { return false };
    let (grants, kind) = (reading.grants(), case.operation.resource());
    match (&case.on, &admitted.found) {
        (On::All, _) => true,
        (On::Path(path), _) => grants.on_secret(Permission::Read, path).is_some(),
        (On::Named(_), Found::Key(key)) => grants.on_key(&[Permission::Read], key.spec.id, &key.slug).is_some(),
        (On::Named(_), Found::Object(identity, slug)) => {
            grants.on(kind, Permission::Read, identity, slug.as_deref()).is_some()
        }
        (On::Named(name), Found::Nothing) => grants.on(kind, Permission::Read, name, Some(name)).is_some(),
    }
}

/// The entry that decided: `Err` when it refuses.
fn ask_policy(
    secret: &Secret,
    operation: PolicyOperation,
    session: &Session,
    case: &Case,
) -> Result<Option<String>, String> {
    let Some(policy) = &secret.policy else { return Ok(None) };
    let subject = &session.inner.access.subject;
    match policy.decide(&PolicyRequest { operation, at: case.at, client: case.client, subject }) {
        PolicyDecision::Allowed { by } => Ok(by),
        PolicyDecision::Denied { by } => Err(by),
    }
}

fn missing(kind: ObjectKind) -> Error {
    match kind {
        ObjectKind::Team => no_such::<Team>(),
        ObjectKind::ServiceAccount => no_such::<ServiceAccount>(),
        ObjectKind::Role => no_such::<Role>(),
        ObjectKind::OrganisationMember => no_such::<OrganisationMember>(),
        ObjectKind::IdentityProvider => no_such::<IdentityProvider>(),
        ObjectKind::FederatedIdentity => no_such::<FederatedIdentity>(),
        ObjectKind::Project => no_such::<Project>(),
        _ => no_such::<User>(),
    }
}
