use super::{MemberView, attempted, is_member, unknown_user};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::Permit;
use crate::iam::granted::by_membership;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{BoundTo, MemberRole, OrganisationMember, User};
use strongroom_domain::iam::Permission;
use strongroom_domain::id::{MemberId, OrganisationId, UserId};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::Change;

/// Makes a user a member who belongs to no organisation.
pub struct AddMember<'a>(Permit<'a>);

/// A member to be added.
#[derive(Clone, Copy, Debug)]
pub struct NewMember {
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: MemberRole,
}

impl NewMember {
    pub(crate) const fn into_member(
        self,
        id: MemberId,
        organisation: OrganisationId,
        at: Timestamp,
    ) -> OrganisationMember {
        OrganisationMember { id, organisation, user: self.user, role: self.role, created_at: at }
    }
}

impl Engine {
    /// Checks that the caller may add members.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn add_member<'a>(&'a self, session: &'a OrganisationSession) -> Result<AddMember<'a>, Error> {
        let attempted = attempted(Action::IamMemberCreate, Permission::Create);
        self.may::<OrganisationMember>(session, attempted, "").await.map(AddMember)
    }
}

impl AddMember<'_> {
    /// Adds them.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`](crate::Code::ObjectNotFound) for a user who is unknown or belongs to other organisations, [`Code::ObjectExists`](crate::Code::ObjectExists) for a member,
    /// [`Code::Escalation`](crate::Code::Escalation) when the caller would give more than they hold, and those of the store.
    pub async fn run(self, new: NewMember) -> Result<MemberView, Error> {
        self.0.engine.amend(self.0.session, &Addition { permit: &self.0, new }).await
    }
}

struct Addition<'a> {
    permit: &'a Permit<'a>,
    new: NewMember,
}

#[async_trait]
impl DirectoryChange for Addition<'_> {
    type Answer = MemberView;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.new.user.to_string())
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<MemberView>, Error> {
        let attempted = self.permit.attempted;
        let rule = scene.permit::<OrganisationMember>(attempted, None)?;
        let NewMember { user, role } = self.new;
        let known = scene.engine.object_by_id::<User>(None, user.uuid()).await?.ok_or_else(unknown_user)?;
        let memberships = scene.engine.memberships(user).await?;
        if memberships.iter().any(|member| member.organisation == scene.organisation.id) {
            return Err(is_member());
        }
        // Nobody is taken from where they belong to without their consent, nor told of; the operator may add them.
        if !memberships.is_empty() {
            return Err(unknown_user());
        }
        scene.check_may_make(role)?;
        // Should a role be bound to them from before, it would be theirs again.
        scene.check_gain(&scene.rules_of(&[BoundTo::User(user)]).await?)?;
        let member = self.new.into_member(MemberId::new(scene.new_id()), scene.organisation.id, scene.at);
        Ok(Amended {
            changes: vec![Change::PutObject(Box::new(member.clone().into()))],
            resource: attempted.object(member.id.to_string(), member.id.uuid()),
            access: Some(by_membership(&member, None)),
            rule: Some(rule),
            status: 201,
            answer: MemberView { member, user: known },
        })
    }
}
