use super::{TeamView, attempted};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::Permit;
use crate::session::OrganisationSession;
use strongroom_domain::audit::Action;
use strongroom_domain::directory::Team;
use strongroom_domain::iam::Permission;

impl Engine {
    /// The team of this identity or slug, with its members.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), and those of the store.
    pub async fn get_team(&self, session: &OrganisationSession, name: &str) -> Result<TeamView, Error> {
        let permit = self.may::<Team>(session, attempted(Action::IamTeamRead, Permission::Read), name).await?;
        permit.told(found(&permit).await).await
    }
}

async fn found(permit: &Permit<'_>) -> Result<TeamView, Error> {
    permit.engine.team_view(permit.find().await?).await
}
