use crate::{Call, Client, Error, Filter};
use reqwest::Method;
use strongroom_api::{IdentityProvider, NewIdentityProvider, UpdateIdentityProvider};

/// Issuers whose tokens can be exchanged. Made by [`Iam::identity_providers`](super::Iam::identity_providers). They go by identity.
#[derive(Clone)]
pub struct IdentityProviders {
    pub(super) client: Client,
}

impl IdentityProviders {
    /// The issuers that the caller may read.
    ///
    /// # Errors
    /// Any.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<IdentityProvider>, Error> {
        self.client.send_json(filter.on(Call::new(Method::GET, &["v1", "federated-identity-providers"]))).await
    }

    /// An issuer.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such issuer.
    pub async fn get(&self, provider: &str) -> Result<IdentityProvider, Error> {
        self.client.get_json(&["v1", "federated-identity-providers", provider]).await
    }

    /// Makes an issuer known.
    ///
    /// # Errors
    /// Any; a [conflict](Error::is_conflict) (`already_exists`) when the organisation has one of this `providerIssuer`.
    pub async fn create(&self, provider: &NewIdentityProvider) -> Result<IdentityProvider, Error> {
        self.client.write(Method::POST, &["v1", "federated-identity-providers"], provider).await
    }

    /// Changes an issuer; what isn't given stays.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such issuer; `escalation` (400) when other keys, or its being active again,
    /// would open more to its federated identities than the caller holds.
    pub async fn update(&self, provider: &str, change: &UpdateIdentityProvider) -> Result<IdentityProvider, Error> {
        self.client.write(Method::PUT, &["v1", "federated-identity-providers", provider], change).await
    }

    /// Deletes an issuer with its federated identities.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such issuer.
    pub async fn delete(&self, provider: &str) -> Result<(), Error> {
        self.client.remove(&["v1", "federated-identity-providers", provider]).await
    }
}
