use crate::{Client, Error};
use reqwest::Method;
use strongroom_api::{AccessCredential, CreatedAccessCredential, NewAccessCredential};

/// The access credentials of a service account. Made by [`Iam::access_credentials`](super::Iam::access_credentials).
#[derive(Clone)]
pub struct AccessCredentials {
    pub(super) client: Client,
    pub(super) service_account: String,
}

impl AccessCredentials {
    /// The credentials, without their secrets.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such service account.
    pub async fn list(&self) -> Result<Vec<AccessCredential>, Error> {
        self.client.get_json(&["v1", "service-accounts", &self.service_account, "access-credentials"]).await
    }

    /// Makes a credential. Its secret is shown this once.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such service account; `escalation` (400) when it may do more than the caller,
    /// or the credential would allow more, or last longer, than the one of the caller.
    pub async fn create(&self, credential: &NewAccessCredential) -> Result<CreatedAccessCredential, Error> {
        self.client
            .write(Method::POST, &["v1", "service-accounts", &self.service_account, "access-credentials"], credential)
            .await
    }

    /// Deletes the credential of this identity: it opens nothing from then on.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such service account, or no such credential of it.
    pub async fn delete(&self, credential: &str) -> Result<(), Error> {
        self.client.remove(&["v1", "service-accounts", &self.service_account, "access-credentials", credential]).await
    }
}
