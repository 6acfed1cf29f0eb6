use super::resource;
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::Permit;
use crate::iam::permit::no_such;
use crate::iam::teams::attempted;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{ObjectKind, Team, TeamMember};
use strongroom_domain::iam::Permission;
use strongroom_domain::unit::Change;

/// Takes a user out of a team.
pub struct RemoveTeamMember<'a> {
    permit: Permit<'a>,
    member: String,
}

impl Engine {
    /// Checks that the caller may change this team. `member`: the identity of the user, or of their membership in the team.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn remove_team_member<'a>(
        &'a self,
        session: &'a OrganisationSession,
        team: &str,
        member: &str,
    ) -> Result<RemoveTeamMember<'a>, Error> {
        let attempted = attempted(Action::IamTeamMemberDelete, Permission::Update);
        let permit = self.may::<Team>(session, attempted, team).await?;
        Ok(RemoveTeamMember { permit, member: member.to_owned() })
    }
}

impl RemoveTeamMember<'_> {
    /// Takes them out.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`](crate::Code::ObjectNotFound) for an unknown team or member, and those of the store.
    pub async fn run(self) -> Result<(), Error> {
        self.permit.engine.amend(self.permit.session, &self).await
    }
}

#[async_trait]
impl DirectoryChange for RemoveTeamMember<'_> {
    type Answer = ();

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.permit.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<()>, Error> {
        let (team, rule) = scene.permitted::<Team>(&self.permit).await?;
        let members = scene.engine.parts_of::<TeamMember>(scene.organisation.id, team.id.uuid()).await?;
        let is_meant =
            |member: &TeamMember| self.member.parse() == Ok(member.id) || self.member.parse() == Ok(member.user);
        let member = members.into_iter().find(is_meant).ok_or_else(no_such::<TeamMember>)?;
        Ok(Amended {
            changes: vec![Change::DeleteObject { kind: ObjectKind::TeamMember, id: member.id.uuid() }],
            resource: resource(self.permit.attempted, &member),
            access: None,
            rule: Some(rule),
            status: 204,
            answer: (),
        })
    }
}
