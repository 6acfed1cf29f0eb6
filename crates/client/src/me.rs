use crate::{Client, Error};
use reqwest::Method;
use strongroom_api::{
    IssuedPersonalAccessToken, Me, NewPersonalAccessToken, OrganisationMembership, PersonalAccessToken,
};

const TOKENS: [&str; 3] = ["v1", "me", "personal-access-tokens"];

/// Who calls, where they can act, and their tokens. Made by [`Client::me`]. Organisation and project mean nothing here.
#[derive(Clone)]
pub struct MyAccount {
    client: Client,
}

impl MyAccount {
    pub(crate) fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Who calls, with what, and where they can act.
    ///
    /// # Errors
    /// Any.
    pub async fn get(&self) -> Result<Me, Error> {
        self.client.get_json(&["v1", "me"]).await
    }

    /// The organisations of the caller.
    ///
    /// # Errors
    /// Any.
    pub async fn memberships(&self) -> Result<Vec<OrganisationMembership>, Error> {
        self.client.get_json(&["v1", "me", "organisation-memberships"]).await
    }

    /// The caller's personal access tokens, without the tokens themselves.
    ///
    /// # Errors
    /// Any; [denied](Error::is_denied) to service accounts, which have none.
    pub async fn tokens(&self) -> Result<Vec<PersonalAccessToken>, Error> {
        self.client.get_json(&TOKENS).await
    }

    /// Makes a personal access token. It is shown this once.
    ///
    /// # Errors
    /// Any; [denied](Error::is_denied) to service accounts, which have none; `escalation` (400) when the token would allow more, or last
    /// longer, than the credential that makes it; `invalid_request` (400) beyond 100 of them.
    pub async fn create_token(&self, token: &NewPersonalAccessToken) -> Result<IssuedPersonalAccessToken, Error> {
        self.client.write(Method::POST, &TOKENS, token).await
    }

    /// Deletes a personal access token: it opens nothing from then on.
    ///
    /// # Errors
    /// Any; [denied](Error::is_denied) to service accounts, which have none; [not found](Error::is_not_found) when there is no such token.
    pub async fn delete_token(&self, identity: &str) -> Result<(), Error> {
        let [version, me, tokens] = TOKENS;
        self.client.remove(&[version, me, tokens, identity]).await
    }
}
