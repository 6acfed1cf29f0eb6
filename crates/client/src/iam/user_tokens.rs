use crate::{Client, Error};
use reqwest::Method;
use strongroom_api::{IssuedPersonalAccessToken, NewPersonalAccessToken, PersonalAccessToken};

/// The tokens of a user that are bound to the organisation. Made by [`Iam::user_tokens`](super::Iam::user_tokens).
#[derive(Clone)]
pub struct UserTokens {
    pub(super) client: Client,
    pub(super) user: String,
}

impl UserTokens {
    /// The tokens, without themselves.
    ///
    /// # Errors
    /// Any; [denied](Error::is_denied) to all but owners; [not found](Error::is_not_found) when there is no such member.
    pub async fn list(&self) -> Result<Vec<PersonalAccessToken>, Error> {
        self.client.get_json(&["v1", "users", &self.user, "personal-access-tokens"]).await
    }

    /// Makes a token. It is shown this once.
    ///
    /// # Errors
    /// Any; [denied](Error::is_denied) to all but owners; [not found](Error::is_not_found) when there is no such member; `invalid_request`
    /// (400) when they log in through an issuer and make their tokens themselves, or have 100; `escalation` (400) when the token would
    /// allow more than the one of the caller.
    pub async fn create(&self, token: &NewPersonalAccessToken) -> Result<IssuedPersonalAccessToken, Error> {
        self.client.write(Method::POST, &["v1", "users", &self.user, "personal-access-tokens"], token).await
    }

    /// Deletes the token of this identity: it opens nothing from then on.
    ///
    /// # Errors
    /// Any; [denied](Error::is_denied) to all but owners; [not found](Error::is_not_found) when there is no such member, or no such token
    /// of theirs that is bound to the organisation.
    pub async fn delete(&self, token: &str) -> Result<(), Error> {
        self.client.remove(&["v1", "users", &self.user, "personal-access-tokens", token]).await
    }
}
