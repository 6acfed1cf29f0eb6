use super::{TeamView, attempted};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::Permit;
use crate::session::OrganisationSession;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::port::ObjectSelector;

impl Engine {
    /// The teams of the organisation that the caller may read, with their members, oldest first.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), and those of the store.
    pub async fn list_teams(&self, session: &OrganisationSession) -> Result<Vec<TeamView>, Error> {
        let permit = self.may_list_objects(session, attempted(Action::IamTeamList, Permission::List)).await?;
        permit.told(readable(&permit).await).await
    }
}

async fn readable(permit: &Permit<'_>) -> Result<Vec<TeamView>, Error> {
    let organisation = permit.session.organisation.id;
    let teams = permit.engine.objects(Some(organisation), ObjectSelector::All).await?;
    permit.engine.team_views(organisation, permit.readable(teams)).await
}
