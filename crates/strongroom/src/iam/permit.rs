//! Whether a caller may do something to an object of the directory.

use crate::audit::{self, Place};
use crate::directory::{Kind, Scene, bound_to, held_by};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::OrganisationSession;
use strongroom_domain::audit::{Action, Resource, ResourceKind};
use strongroom_domain::directory::BoundTo;
use strongroom_domain::iam::{Grants, HeldRules, Permission, ResourceType, check_escalation};
use strongroom_domain::id::RuleId;
use uuid::Uuid;

/// What is tried, and which permission it takes.
#[derive(Clone, Copy, Debug)]
pub struct Attempted {
    /// For the audit log.
    pub(crate) action: Action,
    /// What the audit log says that it is done to.
    pub(crate) resource: ResourceKind,
    /// The type that guards it.
    pub(crate) guard: ResourceType,
    /// The permission that it takes.
    pub(crate) permission: Permission,
}

/// A caller who may try this, here.
pub struct Permit<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) session: &'a OrganisationSession,
    pub(crate) attempted: Attempted,
    /// The object that the caller names; empty for what is about none yet.
    pub(crate) name: String,
    pub(crate) rule: RuleId,
}

impl Attempted {
    /// The refusal: one text, whether the object is there or not.
    fn forbidden(self) -> Error {
        let (permission, guard) = (self.permission, self.guard);
        Error::new(
            Code::Forbidden,
            format!(
                "You are not allowed `{permission}` here; ask for a rule on resource type `{guard}` that grants it."
            ),
        )
    }

    /// What the log says of an object that is only named.
    pub(crate) fn named(self, name: &str) -> Resource {
        audit::listing(self.resource, &name.chars().take(64).collect::<String>())
    }

    /// What the log says of an object.
    pub(crate) fn object(self, identity: String, id: Uuid) -> Resource {
        Resource { kind: self.resource, identity, id: Some(id), version: None }
    }

    /// What the rules say, when the object is `found`, or is only named, or there is none to name.
    pub(crate) fn decide<T: Kind>(self, grants: &Grants, found: Option<&T>, name: &str) -> Option<RuleId> {
        match found {
            Some(object) => grants.on(self.guard, self.permission, &object.identity(), object.slug()),
            None => grants.on(self.guard, self.permission, name, Some(name)),
        }
    }
}

/// What there is none of, or not for the caller.
pub(crate) fn no_such<T: Kind>() -> Error {
    Error::new(
        Code::ObjectNotFound,
        format!("There is no such {} in this organisation; check its identity.", T::KIND.as_str().replace('_', " ")),
    )
}

impl Engine {
    /// Checks that the caller may try this on an object of type `T`, whether it is there or not; with an empty name, on such objects as
    /// a whole. A refusal is recorded.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub(crate) async fn may<'a, T: Kind>(
        &'a self,
        session: &'a OrganisationSession,
        attempted: Attempted,
        name: &str,
    ) -> Result<Permit<'a>, Error> {
        let found = match name {
            "" => None,
            name => self.object_named::<T>(session.organisation.id, name).await?,
        };
        match self.allowed_there(session, |grants| attempted.decide(grants, found.as_ref(), name)).await? {
            Some(rule) => Ok(Permit { engine: self, session, attempted, name: name.to_owned(), rule }),
            None => Err(self.forbid(session, attempted, name).await),
        }
    }

    /// Checks that the caller may list such objects at all; which of them, is decided for each.
    pub(crate) async fn may_list_objects<'a>(
        &'a self,
        session: &'a OrganisationSession,
        attempted: Attempted,
    ) -> Result<Permit<'a>, Error> {
        match self.allowed_there(session, |grants| grants.anywhere(attempted.guard, attempted.permission)).await? {
            Some(rule) => Ok(Permit { engine: self, session, attempted, name: String::new(), rule }),
            None => Err(self.forbid(session, attempted, "").await),
        }
    }

    pub(crate) async fn forbid(&self, session: &OrganisationSession, attempted: Attempted, name: &str) -> Error {
        let error = attempted.forbidden();
        let recorder = session.recorder(self, Place::default());
        let resource = attempted.named(name);
        let record = recorder.failure(self.ports.clock.now(), attempted.action, resource, &error);
        recorder.log_failure(record, error).await
    }
}

impl Permit<'_> {
    /// The object that the caller names.
    pub(crate) async fn find<T: Kind>(&self) -> Result<T, Error> {
        let found = self.engine.object_named(self.session.organisation.id, &self.name).await?;
        found.ok_or_else(no_such::<T>)
    }

    /// Those of the objects that the caller may read.
    pub(crate) fn readable<T: Kind>(&self, objects: Vec<T>) -> Vec<T> {
        let effective = self.session.access.effective(None);
        let may_read = |object: &T| {
            effective.grants().on(self.attempted.guard, Permission::Read, &object.identity(), object.slug()).is_some()
        };
        objects.into_iter().filter(may_read).collect()
    }

    /// Gives an answer without a value on, after the record of it.
    pub(crate) async fn told<T>(&self, outcome: Result<T, Error>) -> Result<T, Error> {
        let recorder = self.session.recorder(self.engine, Place::default());
        let (at, resource) = (self.engine.ports.clock.now(), self.attempted.named(&self.name));
        match outcome {
            Ok(answer) => {
                recorder.log(recorder.success(at, self.attempted.action, resource, Some(self.rule), 200)).await?;
                Ok(answer)
            }
            Err(error) => {
                let record = recorder.failure(at, self.attempted.action, resource, &error);
                Err(recorder.log_failure(record, error).await)
            }
        }
    }
}

impl Scene<'_> {
    /// The rule that allows this on an object, at this moment.
    pub(crate) fn permit<T: Kind>(&self, attempted: Attempted, object: Option<&T>) -> Result<RuleId, Error> {
        let effective = self.access.effective(None);
        attempted.decide(effective.grants(), object, "").ok_or_else(|| attempted.forbidden())
    }

    /// The object that the caller names, and the rule that allows this on it.
    pub(crate) async fn permitted<T: Kind>(&self, permit: &Permit<'_>) -> Result<(T, RuleId), Error> {
        self.permitted_named(permit.attempted, &permit.name).await
    }

    /// The object of this name, and the rule that allows this on it.
    pub(crate) async fn permitted_named<T: Kind>(
        &self,
        attempted: Attempted,
        name: &str,
    ) -> Result<(T, RuleId), Error> {
        let found = self.engine.object_named::<T>(self.organisation.id, name).await?;
        let effective = self.access.effective(None);
        let rule = attempted.decide(effective.grants(), found.as_ref(), name);
        let rule = rule.ok_or_else(|| attempted.forbidden())?;
        Ok((found.ok_or_else(no_such::<T>)?, rule))
    }

    /// What somebody has who is one of these, for [`check_gain`](Self::check_gain): the rules of the roles bound to them. Nothing is read
    /// for a caller who may give everything.
    pub(crate) async fn rules_of(&self, to: &[BoundTo]) -> Result<Vec<HeldRules>, Error> {
        if self.may_give_everything() {
            return Ok(Vec::new());
        }
        let directory = self.engine.ports.directory.as_ref();
        Ok(held_by(&bound_to(directory, self.organisation.id, to).await?))
    }

    fn may_give_everything(&self) -> bool {
        // Whoever embeds the engine decides by itself what its callers may do.
        self.access.is_given() || (self.access.is_owner() && self.session.caller().project.is_none())
    }

    /// What the caller may give on: with a credential that is bound to a project, in that project only.
    fn held(&self) -> Vec<HeldRules> {
        let mut held = self.access.held();
        if let Some(project) = &self.session.caller().project {
            held.retain(|held| held.projects.is_empty() || held.projects.contains(project));
            for held in &mut held {
                held.projects = [project.clone()].into();
            }
        }
        held
    }

    /// Refuses to give what the caller doesn't hold.
    pub(crate) fn check_gain(&self, gained: &[HeldRules]) -> Result<(), Error> {
        if self.may_give_everything() {
            return Ok(());
        }
        check_escalation(&self.held(), gained).map_err(|missing| {
            let message =
                format!("You would give more than you hold: {missing}. Ask an owner, or somebody who holds it.");
            Error::new(Code::Escalation, message)
        })
    }
}
