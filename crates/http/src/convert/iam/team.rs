use super::{named, user};
use crate::failure::Failure;
use strongroom::iam::teams::{TeamMemberView, TeamView};
use strongroom_api::{Team, TeamMember};
use strongroom_domain::directory::TeamRole;

pub(crate) fn team(view: &TeamView) -> Team {
    Team { named: named(view.team.id, &view.team.named), members: view.members.iter().map(team_member).collect() }
}

pub(crate) fn team_member(view: &TeamMemberView) -> TeamMember {
    let member = &view.member;
    TeamMember {
        identity: member.id.to_string(),
        role: member.role.as_str().to_owned(),
        user: user(&view.user),
        created_at: member.created_at.to_rfc3339(),
        updated_at: member.updated_at.to_rfc3339(),
    }
}

/// What a user shall be in a team. What is null or empty isn't given.
pub(crate) fn team_role(name: Option<&str>) -> Result<TeamRole, Failure> {
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(TeamRole::Member) };
    TeamRole::from_name(name).ok_or_else(|| Failure::invalid("`role` is `OWNER`, `ADMIN` or `MEMBER`."))
}
