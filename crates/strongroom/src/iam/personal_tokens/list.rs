use super::resource;
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::me::IdentitySession;
use strongroom_domain::audit::Action;
use strongroom_domain::principal::Token;

impl Engine {
    /// The caller's personal access tokens, oldest first, also those that have ended.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden) for who is no user,
    /// [`Code::OrganisationDenied`](crate::Code::OrganisationDenied) for a token of an organisation that they have left, and those of the
    /// store.
    pub async fn list_personal_tokens(&self, session: &IdentitySession) -> Result<Vec<Token>, Error> {
        let tokens = match self.token_owner(session).await {
            Ok(owner) => self.tokens_of(owner).await,
            Err(error) => Err(error),
        };
        session.told(self, Action::IamPersonalTokenList, resource(None), tokens).await
    }
}
