use super::attempted;
use crate::engine::Engine;
use crate::error::Error;
use crate::session::OrganisationSession;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::directory::OrganisationMember;
use strongroom_domain::iam::Permission;
use strongroom_domain::principal::Token;

impl Engine {
    /// A member's personal access tokens that are bound to the organisation, oldest first, also those that have ended. Owners may see
    /// them; their other tokens are the user's own.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), [`Code::ObjectNotFound`](crate::Code::ObjectNotFound) for a user who is no member,
    /// and those of the store.
    pub async fn list_user_tokens(&self, session: &OrganisationSession, user: &str) -> Result<Vec<Token>, Error> {
        let attempted = attempted(Action::IamPersonalTokenList, ResourceKind::PersonalToken, Permission::Read);
        let permit = self.may::<OrganisationMember>(session, attempted, user).await?;
        self.check_owner(&permit).await?;
        let tokens = match self.member_of(session.organisation.id, user).await {
            Ok(member) => self.bound_tokens(session.organisation.id, member.user).await,
            Err(error) => Err(error),
        };
        permit.told(tokens).await
    }
}
