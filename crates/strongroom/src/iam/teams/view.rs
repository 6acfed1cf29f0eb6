use crate::engine::Engine;
use crate::error::Error;
use strongroom_domain::directory::{Team, TeamMember, User};
use strongroom_domain::id::OrganisationId;
use strongroom_domain::port::ObjectSelector;
use uuid::Uuid;

/// A team with its members.
#[derive(Clone, Debug)]
pub struct TeamView {
    /// The team.
    pub team: Team,
    /// Its members, oldest first.
    pub members: Vec<TeamMemberView>,
}

/// A user in a team.
#[derive(Clone, Debug)]
pub struct TeamMemberView {
    /// Their membership.
    pub member: TeamMember,
    /// The user.
    pub user: User,
}

impl Engine {
    /// The team as callers see it.
    pub(crate) async fn team_view(&self, team: Team) -> Result<TeamView, Error> {
        let members = self.parts_of::<TeamMember>(team.organisation, team.id.uuid()).await?;
        let users = self.users(members.iter().map(|member| member.user.uuid())).await?;
        Ok(view(team, &members, &users))
    }

    /// These teams, all of one organisation, as callers see them.
    pub(crate) async fn team_views(
        &self,
        organisation: OrganisationId,
        teams: Vec<Team>,
    ) -> Result<Vec<TeamView>, Error> {
        let members = self.objects::<TeamMember>(Some(organisation), ObjectSelector::All).await?;
        let users = self.users(members.iter().map(|member| member.user.uuid())).await?;
        Ok(teams.into_iter().map(|team| view(team, &members, &users)).collect())
    }

    /// The users of these identities, each once.
    pub(crate) async fn users(&self, ids: impl Iterator<Item = Uuid>) -> Result<Vec<User>, Error> {
        let mut ids: Vec<_> = ids.collect();
        ids.sort_unstable();
        ids.dedup();
        self.objects(None, ObjectSelector::Ids(ids)).await
    }
}

/// `users`: in the order of their identities.
fn view(team: Team, members: &[TeamMember], users: &[User]) -> TeamView {
    let user_of = |member: &TeamMember| {
        let at = users.binary_search_by_key(&member.user, |user| user.id).ok()?;
        Some(TeamMemberView { member: member.clone(), user: users[at].clone() })
    };
    let members = members.iter().filter(|member| member.team == team.id).filter_map(user_of).collect();
    TeamView { team, members }
}
