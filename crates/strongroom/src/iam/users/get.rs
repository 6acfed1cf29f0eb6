use super::{attempted, no_such_user};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::Permit;
use crate::session::OrganisationSession;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::directory::{OrganisationMember, User};
use strongroom_domain::iam::Permission;
use strongroom_domain::id::UserId;

impl Engine {
    /// The user of this identity, if they are a member of the organisation. Rules name them by their membership.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), and those of the store.
    pub async fn get_user(&self, session: &OrganisationSession, user: &str) -> Result<User, Error> {
        let attempted = attempted(Action::IamUserRead, ResourceKind::User, Permission::Read);
        let member = match user.parse::<UserId>() {
            Ok(user) => self.member(session.organisation.id, user).await?,
            Err(_) => None,
        };
        let decided = self.allowed_there(session, |grants| attempted.decide(grants, member.as_ref(), user)).await?;
        let Some(rule) = decided else { return Err(self.forbid(session, attempted, user).await) };
        let permit = Permit { engine: self, session, attempted, name: user.to_owned(), rule };
        permit.told(self.user_behind(member).await).await
    }

    async fn user_behind(&self, member: Option<OrganisationMember>) -> Result<User, Error> {
        let member = member.ok_or_else(no_such_user)?;
        Ok(self.member_view(member).await?.user)
    }
}
