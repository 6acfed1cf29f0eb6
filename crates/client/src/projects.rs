use crate::{Call, Client, Error, Filter};
use reqwest::Method;
use strongroom_api::{NewProject, Project};

/// Projects: scopes of their own for secrets and keys. Made by [`Client::projects`]. They go by identity or slug.
#[derive(Clone)]
pub struct Projects {
    client: Client,
}

impl Projects {
    pub(crate) fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// The projects that the caller may read.
    ///
    /// # Errors
    /// Any.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<Project>, Error> {
        self.client.send_json(filter.on(Call::new(Method::GET, &["v1", "projects"]))).await
    }

    /// A project.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such project.
    pub async fn get(&self, project: &str) -> Result<Project, Error> {
        self.client.get_json(&["v1", "projects", project]).await
    }

    /// Makes a project.
    ///
    /// # Errors
    /// Any; a [conflict](Error::is_conflict) (`already_exists`) when the slug of its name is taken; [not found](Error::is_not_found) when
    /// there is no such parent, which goes by identity here.
    pub async fn create(&self, project: &NewProject) -> Result<Project, Error> {
        self.client.write(Method::POST, &["v1", "projects"], project).await
    }

    /// Changes a project: what isn't given but the name stays, and so does the slug.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such project or parent; `invalid_request` (400) when it would stand below
    /// itself, or too deep.
    pub async fn update(&self, project: &str, change: &NewProject) -> Result<Project, Error> {
        self.client.write(Method::PUT, &["v1", "projects", project], change).await
    }

    /// Deletes a project that has no projects below it, no secrets and no keys.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such project; `in_use` (400) while something is in it.
    pub async fn delete(&self, project: &str) -> Result<(), Error> {
        self.client.remove(&["v1", "projects", project]).await
    }
}
