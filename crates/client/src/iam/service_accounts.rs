use crate::{Call, Client, Error, Filter};
use reqwest::Method;
use strongroom_api::{NewNamed, ServiceAccount, UpdateNamed};

/// Service accounts. Made by [`Iam::service_accounts`](super::Iam::service_accounts). They go by identity or slug.
#[derive(Clone)]
pub struct ServiceAccounts {
    pub(super) client: Client,
}

impl ServiceAccounts {
    /// The service accounts that the caller may read.
    ///
    /// # Errors
    /// Any.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<ServiceAccount>, Error> {
        self.client.send_json(filter.on(Call::new(Method::GET, &["v1", "service-accounts"]))).await
    }

    /// A service account.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such service account.
    pub async fn get(&self, service_account: &str) -> Result<ServiceAccount, Error> {
        self.client.get_json(&["v1", "service-accounts", service_account]).await
    }

    /// Makes a service account.
    ///
    /// # Errors
    /// Any.
    pub async fn create(&self, service_account: &NewNamed) -> Result<ServiceAccount, Error> {
        self.client.write(Method::POST, &["v1", "service-accounts"], service_account).await
    }

    /// Changes a service account; what isn't given stays, and so does the slug.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such service account.
    pub async fn update(&self, service_account: &str, change: &UpdateNamed) -> Result<ServiceAccount, Error> {
        self.client.write(Method::PUT, &["v1", "service-accounts", service_account], change).await
    }

    /// Deletes a service account with its credentials, federated identities and bindings.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such service account.
    pub async fn delete(&self, service_account: &str) -> Result<(), Error> {
        self.client.remove(&["v1", "service-accounts", service_account]).await
    }
}
