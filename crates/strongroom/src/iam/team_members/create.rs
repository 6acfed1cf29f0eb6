use super::resource;
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::iam::Permit;
use crate::iam::memberships::no_member;
use crate::iam::room::check_room;
use crate::iam::teams::{TeamMemberView, attempted};
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{BoundTo, Team, TeamMember, TeamRole};
use strongroom_domain::iam::Permission;
use strongroom_domain::id::{TeamMemberId, UserId};
use strongroom_domain::unit::Change;

/// The most members of a team.
const MAX_MEMBERS: usize = 10_000;

/// Adds a user to a team.
pub struct AddTeamMember<'a>(Permit<'a>);

/// A member to be added.
#[derive(Clone, Copy, Debug)]
pub struct NewTeamMember {
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: TeamRole,
}

impl Engine {
    /// Checks that the caller may change this team.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn add_team_member<'a>(
        &'a self,
        session: &'a OrganisationSession,
        team: &str,
    ) -> Result<AddTeamMember<'a>, Error> {
        let attempted = attempted(Action::IamTeamMemberCreate, Permission::Update);
        self.may::<Team>(session, attempted, team).await.map(AddTeamMember)
    }
}

impl AddTeamMember<'_> {
    /// Adds them.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`] for an unknown team, or a user who is no member of the organisation; [`Code::ObjectExists`] for one who
    /// is in the team already; [`Code::Escalation`] when the team has rules that the caller doesn't hold; and those of the store.
    pub async fn run(self, new: NewTeamMember) -> Result<TeamMemberView, Error> {
        self.0.engine.amend(self.0.session, &Addition { permit: &self.0, new }).await
    }
}

struct Addition<'a> {
    permit: &'a Permit<'a>,
    new: NewTeamMember,
}

#[async_trait]
impl DirectoryChange for Addition<'_> {
    type Answer = TeamMemberView;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.permit.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<TeamMemberView>, Error> {
        let (team, rule) = scene.permitted::<Team>(self.permit).await?;
        let organisation = scene.organisation.id;
        let member = scene.engine.member(organisation, self.new.user).await?.ok_or_else(no_member)?;
        let user = scene.engine.object_by_id(None, member.user.uuid()).await?.ok_or_else(no_member)?;
        let members = scene.engine.parts_of::<TeamMember>(organisation, team.id.uuid()).await?;
        if members.iter().any(|known| known.user == member.user) {
            return Err(Error::new(
                Code::ObjectExists,
                "The user is in the team already; remove them first to give them another role in it.",
            ));
        }
        check_room(members.len(), MAX_MEMBERS, "The team", "members")?;
        scene.check_gain(&scene.rules_of(&[BoundTo::Team(team.id)]).await?)?;
        let member = TeamMember {
            id: TeamMemberId::new(scene.new_id()),
            organisation,
            team: team.id,
            user: member.user,
            role: self.new.role,
            created_at: scene.at,
            updated_at: scene.at,
        };
        Ok(Amended {
            changes: vec![Change::PutObject(Box::new(member.clone().into()))],
            resource: resource(self.permit.attempted, &member),
            access: None,
            rule: Some(rule),
            status: 201,
            answer: TeamMemberView { member, user },
        })
    }
}
