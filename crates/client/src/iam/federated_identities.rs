use crate::{Call, Client, Error, Filter};
use reqwest::Method;
use strongroom_api::{FederatedIdentity, NewFederatedIdentity, UpdateFederatedIdentity};

/// What the subjects of other issuers become. Made by [`Iam::federated_identities`](super::Iam::federated_identities). They go by identity or slug.
#[derive(Clone)]
pub struct FederatedIdentities {
    pub(super) client: Client,
}

impl FederatedIdentities {
    /// The federated identities that the caller may read.
    ///
    /// # Errors
    /// Any.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<FederatedIdentity>, Error> {
        self.client.send_json(filter.on(Call::new(Method::GET, &["v1", "federated-identities"]))).await
    }

    /// A federated identity.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such federated identity.
    pub async fn get(&self, identity: &str) -> Result<FederatedIdentity, Error> {
        self.client.get_json(&["v1", "federated-identities", identity]).await
    }

    /// Makes a federated identity.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such service account or issuer, which go by identity here; `escalation` (400)
    /// when the service account may do more than the caller.
    pub async fn create(&self, identity: &NewFederatedIdentity) -> Result<FederatedIdentity, Error> {
        self.client.write(Method::POST, &["v1", "federated-identities"], identity).await
    }

    /// Changes a federated identity; what isn't given stays.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such federated identity; `escalation` (400) when it would open more than the
    /// caller holds.
    pub async fn update(&self, identity: &str, change: &UpdateFederatedIdentity) -> Result<FederatedIdentity, Error> {
        self.client.write(Method::PUT, &["v1", "federated-identities", identity], change).await
    }

    /// Deletes a federated identity: the tokens that it gave open nothing from then on.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such federated identity.
    pub async fn delete(&self, identity: &str) -> Result<(), Error> {
        self.client.remove(&["v1", "federated-identities", identity]).await
    }
}
