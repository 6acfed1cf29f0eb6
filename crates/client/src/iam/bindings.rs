use crate::{Client, Error};
use reqwest::Method;
use strongroom_api::{Binding, NewBinding};

/// The bindings of a role: to whom it is given. Made by [`Iam::bindings`](super::Iam::bindings).
#[derive(Clone)]
pub struct Bindings {
    pub(super) client: Client,
    pub(super) role: String,
}

impl Bindings {
    /// The bindings of the role.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such role.
    pub async fn list(&self) -> Result<Vec<Binding>, Error> {
        self.client.get_json(&["v1", "iam", "roles", &self.role, "bindings"]).await
    }

    /// Gives the role to a user, a team or a service account.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such role, or nobody of the identity that is given; `escalation` (400) when
    /// the role gives more than the caller holds.
    pub async fn create(&self, binding: &NewBinding) -> Result<Binding, Error> {
        self.client.write(Method::POST, &["v1", "iam", "roles", &self.role, "bindings"], binding).await
    }

    /// Removes the binding of this identity.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such role, or no such binding of it.
    pub async fn delete(&self, binding: &str) -> Result<(), Error> {
        self.client.remove(&["v1", "iam", "roles", &self.role, "bindings", binding]).await
    }
}
