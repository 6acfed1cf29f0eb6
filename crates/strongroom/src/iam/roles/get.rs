use super::attempted;
use crate::engine::Engine;
use crate::error::Error;
use crate::session::OrganisationSession;
use strongroom_domain::audit::Action;
use strongroom_domain::directory::Role;
use strongroom_domain::iam::Permission;

impl Engine {
    /// The role of this identity or slug, with its rules.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), and those of the store.
    pub async fn get_role(&self, session: &OrganisationSession, name: &str) -> Result<Role, Error> {
        let permit = self.may::<Role>(session, attempted(Action::IamRoleRead, Permission::Read), name).await?;
        permit.told(permit.find().await).await
    }
}
