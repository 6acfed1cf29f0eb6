use crate::{Call, Client, Error, Filter};
use reqwest::Method;
use serde::Deserialize;
use strongroom_api::Region;

/// Regions, and how the server is. Made by [`Client::regions`].
#[derive(Clone)]
pub struct Regions {
    client: Client,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Ready {
    regions_without_kms: Vec<String>,
}

impl Regions {
    pub(crate) fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// The regions.
    ///
    /// # Errors
    /// Any.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<Region>, Error> {
        self.client.send_json(filter.on(Call::new(Method::GET, &["v1", "regions"]))).await
    }

    /// A region, by identity or slug.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such region.
    pub async fn get(&self, region: &str) -> Result<Region, Error> {
        self.client.get_json(&["v1", "regions", region]).await
    }

    /// Whether the server is up. Needs no credentials.
    ///
    /// # Errors
    /// Any; that it isn't.
    pub async fn live(&self) -> Result<(), Error> {
        self.client.send(Call::new(Method::GET, &["healthz"]).anonymous()).await.map(drop)
    }

    /// Whether the server can do its work: the regions whose KMS can't be used now. Needs no credentials.
    ///
    /// # Errors
    /// Any; what it can't use.
    pub async fn ready(&self) -> Result<Vec<String>, Error> {
        let ready: Ready = self.client.send_json(Call::new(Method::GET, &["readyz"]).anonymous()).await?;
        Ok(ready.regions_without_kms)
    }
}
