mod crypto;
mod keys;

pub use keys::KmsKeys;

use crate::{Call, Client, Error};
use reqwest::Method;
use strongroom_api::{KmsSummary, WrappingKey};

/// The KMS of a region. Made by [`Client::kms`].
#[derive(Clone)]
pub struct Kms {
    client: Client,
    region: String,
}

impl Kms {
    pub(crate) fn new(client: &Client, region: String) -> Self {
        Self { client: client.clone(), region }
    }

    fn call(&self, method: Method, last: &str) -> Call {
        Call::new(method, &["v1", "kms", &self.region, last])
    }

    /// A call about a key, or of one of its operations.
    fn on_key(&self, method: Method, key: &str, operation: Option<&str>) -> Call {
        let call = self.call(method, "keys").segment(key);
        operation.into_iter().fold(call, Call::segment)
    }

    /// The keys themselves. Keys go by identity or slug everywhere here.
    #[must_use]
    pub fn keys(&self) -> KmsKeys<'_> {
        KmsKeys::new(self)
    }

    /// The key under which material is wrapped that is to be imported.
    ///
    /// # Errors
    /// Any.
    pub async fn wrapping_key(&self) -> Result<WrappingKey, Error> {
        self.client.send_json(self.call(Method::GET, "wrapping-key")).await
    }

    /// What can be used of the KMS, in all regions.
    ///
    /// # Errors
    /// Any.
    pub async fn summary(&self) -> Result<KmsSummary, Error> {
        self.client.get_json(&["v1", "kms", "summary"]).await
    }
}
