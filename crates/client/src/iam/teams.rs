use crate::{Call, Client, Error, Filter};
use reqwest::Method;
use strongroom_api::{NewNamed, Team, UpdateNamed};

/// Teams. Made by [`Iam::teams`](super::Iam::teams). They go by identity or slug.
#[derive(Clone)]
pub struct Teams {
    pub(super) client: Client,
}

impl Teams {
    /// The teams that the caller may read.
    ///
    /// # Errors
    /// Any.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<Team>, Error> {
        self.client.send_json(filter.on(Call::new(Method::GET, &["v1", "teams"]))).await
    }

    /// A team with its members.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such team.
    pub async fn get(&self, team: &str) -> Result<Team, Error> {
        self.client.get_json(&["v1", "teams", team]).await
    }

    /// Makes a team.
    ///
    /// # Errors
    /// Any.
    pub async fn create(&self, team: &NewNamed) -> Result<Team, Error> {
        self.client.write(Method::POST, &["v1", "teams"], team).await
    }

    /// Changes a team; what isn't given stays, and so does the slug.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such team.
    pub async fn update(&self, team: &str, change: &UpdateNamed) -> Result<Team, Error> {
        self.client.write(Method::PUT, &["v1", "teams", team], change).await
    }

    /// Deletes a team with its bindings.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such team.
    pub async fn delete(&self, team: &str) -> Result<(), Error> {
        self.client.remove(&["v1", "teams", team]).await
    }
}
