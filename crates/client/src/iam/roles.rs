use crate::{Call, Client, Error, Filter};
use reqwest::Method;
use strongroom_api::{NewNamed, Role};

/// Roles, which hold rules. Made by [`Iam::roles`](super::Iam::roles). They go by identity or slug.
#[derive(Clone)]
pub struct Roles {
    pub(super) client: Client,
}

impl Roles {
    /// The roles that the caller may read, with their rules.
    ///
    /// # Errors
    /// Any.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<Role>, Error> {
        self.client.send_json(filter.on(Call::new(Method::GET, &["v1", "iam", "roles"]))).await
    }

    /// A role with its rules.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such role.
    pub async fn get(&self, role: &str) -> Result<Role, Error> {
        self.client.get_json(&["v1", "iam", "roles", role]).await
    }

    /// Makes a role, which has no rules yet.
    ///
    /// # Errors
    /// Any.
    pub async fn create(&self, role: &NewNamed) -> Result<Role, Error> {
        self.client.write(Method::POST, &["v1", "iam", "roles"], role).await
    }

    /// Deletes a role with its bindings.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such role; `read_only` (400) when it is built in.
    pub async fn delete(&self, role: &str) -> Result<(), Error> {
        self.client.remove(&["v1", "iam", "roles", role]).await
    }
}
