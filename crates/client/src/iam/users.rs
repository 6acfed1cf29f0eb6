use crate::{Call, Client, Error, Filter};
use reqwest::Method;
use strongroom_api::{NewUser, User};

/// Users who are members of the organisation. Made by [`Iam::users`](super::Iam::users).
#[derive(Clone)]
pub struct Users {
    pub(super) client: Client,
}

impl Users {
    /// The users.
    ///
    /// # Errors
    /// Any.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<User>, Error> {
        self.client.send_json(filter.on(Call::new(Method::GET, &["v1", "users"]))).await
    }

    /// A user, by identity.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such member.
    pub async fn get(&self, user: &str) -> Result<User, Error> {
        self.client.get_json(&["v1", "users", user]).await
    }

    /// Makes a user, who becomes a member. For owners only.
    ///
    /// # Errors
    /// Any; [denied](Error::is_denied) to all but owners.
    pub async fn create(&self, user: &NewUser) -> Result<User, Error> {
        self.client.write(Method::POST, &["v1", "users"], user).await
    }
}
