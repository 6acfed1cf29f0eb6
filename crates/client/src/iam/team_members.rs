use crate::{Client, Error};
use reqwest::Method;
use strongroom_api::{NewTeamMember, TeamMember};

/// The members of a team. Made by [`Iam::team_members`](super::Iam::team_members).
#[derive(Clone)]
pub struct TeamMembers {
    pub(super) client: Client,
    pub(super) team: String,
}

impl TeamMembers {
    /// Adds a user who is a member of the organisation.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such team, or the user is no member of the organisation; a
    /// [conflict](Error::is_conflict) when they are in the team; `escalation` (400) when the team has more than the caller holds.
    pub async fn create(&self, member: &NewTeamMember) -> Result<TeamMember, Error> {
        self.client.write(Method::POST, &["v1", "teams", &self.team, "members"], member).await
    }

    /// Removes a member, by the identity of the user or of their place in the team.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such team, or no such member of it.
    pub async fn delete(&self, member: &str) -> Result<(), Error> {
        self.client.remove(&["v1", "teams", &self.team, "members", member]).await
    }
}
