use super::attempted;
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::memberships::readable;
use crate::session::OrganisationSession;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::directory::User;
use strongroom_domain::iam::Permission;

impl Engine {
    /// The users who are members of the organisation and whose membership the caller may read, by when they became members.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), and those of the store.
    pub async fn list_users(&self, session: &OrganisationSession) -> Result<Vec<User>, Error> {
        let attempted = attempted(Action::IamUserList, ResourceKind::User, Permission::List);
        let permit = self.may_list_objects(session, attempted).await?;
        let members = readable(&permit).await;
        permit.told(members.map(|members| members.into_iter().map(|view| view.user).collect())).await
    }
}
