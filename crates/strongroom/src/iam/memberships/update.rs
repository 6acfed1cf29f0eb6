use super::{MemberView, attempted};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::Permit;
use crate::iam::granted::by_membership;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{MemberRole, OrganisationMember};
use strongroom_domain::iam::Permission;
use strongroom_domain::unit::Change;

/// Makes an owner of a member, or a member of an owner.
pub struct UpdateMember<'a>(Permit<'a>);

impl Engine {
    /// Checks that the caller may change this membership.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn update_member<'a>(
        &'a self,
        session: &'a OrganisationSession,
        member: &str,
    ) -> Result<UpdateMember<'a>, Error> {
        let attempted = attempted(Action::IamMemberUpdate, Permission::Update);
        self.may::<OrganisationMember>(session, attempted, member).await.map(UpdateMember)
    }
}

impl UpdateMember<'_> {
    /// Changes it.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`](crate::Code::ObjectNotFound); [`Code::Escalation`](crate::Code::Escalation) when somebody makes an owner
    /// who is none; [`Code::LastOwner`](crate::Code::LastOwner); and those of the store.
    pub async fn run(self, role: MemberRole) -> Result<MemberView, Error> {
        self.0.engine.amend(self.0.session, &Revision { permit: &self.0, role }).await
    }
}

struct Revision<'a> {
    permit: &'a Permit<'a>,
    role: MemberRole,
}

#[async_trait]
impl DirectoryChange for Revision<'_> {
    type Answer = MemberView;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.permit.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<MemberView>, Error> {
        let (mut member, rule) = scene.permitted::<OrganisationMember>(self.permit).await?;
        let before = member.role;
        let mut changes = Vec::new();
        if member.role != self.role {
            scene.check_may_make(self.role)?;
            scene.check_may_lose(&member).await?;
            member.role = self.role;
            changes.push(Change::PutObject(Box::new(member.clone().into())));
        }
        Ok(Amended {
            changes,
            resource: self.permit.attempted.object(member.id.to_string(), member.id.uuid()),
            access: Some(by_membership(&member, Some(before))),
            rule: Some(rule),
            status: 200,
            answer: scene.engine.member_view(member).await?,
        })
    }
}
