use super::{attempted, changeable};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::iam::Permit;
use crate::iam::granted::by_rule;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::Role;
use strongroom_domain::iam::Permission;
use strongroom_domain::unit::Change;

/// Removes a rule from a role.
pub struct DeleteRule<'a> {
    permit: Permit<'a>,
    rule: String,
}

impl Engine {
    /// Checks that the caller may change this role.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn delete_rule<'a>(
        &'a self,
        session: &'a OrganisationSession,
        role: &str,
        rule: &str,
    ) -> Result<DeleteRule<'a>, Error> {
        let permit = self.may::<Role>(session, attempted(Action::IamRuleDelete, Permission::Update), role).await?;
        Ok(DeleteRule { permit, rule: rule.to_owned() })
    }
}

impl DeleteRule<'_> {
    /// Removes it.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`] for an unknown role or rule, [`Code::ReadOnly`], and those of the store.
    pub async fn run(self) -> Result<(), Error> {
        self.permit.engine.amend(self.permit.session, &self).await
    }
}

#[async_trait]
impl DirectoryChange for DeleteRule<'_> {
    type Answer = ();

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.permit.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<()>, Error> {
        let (mut role, allowed_by) = scene.permitted::<Role>(&self.permit).await?;
        changeable(&role)?;
        let at = role
            .rules
            .iter()
            .position(|rule| rule.id.to_string() == self.rule)
            .ok_or_else(|| Error::new(Code::ObjectNotFound, "The role has no such rule; check its identity."))?;
        let gone = role.rules.remove(at);
        role.named.touch(scene.at);
        Ok(Amended {
            resource: self.permit.attempted.object(role.id.to_string(), role.id.uuid()),
            access: Some(by_rule(&gone)),
            changes: vec![Change::PutObject(Box::new(role.into()))],
            rule: Some(allowed_by),
            status: 204,
            answer: (),
        })
    }
}
