use super::attempted;
use crate::engine::Engine;
use crate::error::Error;
use crate::session::OrganisationSession;
use strongroom_domain::audit::Action;
use strongroom_domain::directory::Role;
use strongroom_domain::iam::Permission;
use strongroom_domain::port::ObjectSelector;

impl Engine {
    /// The roles of the organisation that the caller may read, with their rules, oldest first.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), and those of the store.
    pub async fn list_roles(&self, session: &OrganisationSession) -> Result<Vec<Role>, Error> {
        let permit = self.may_list_objects(session, attempted(Action::IamRoleList, Permission::List)).await?;
        let roles = self.objects(Some(session.organisation.id), ObjectSelector::All).await;
        permit.told(roles.map(|roles| permit.readable(roles))).await
    }
}
