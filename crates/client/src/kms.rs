mod crypto;
mod keys;

pub use keys::KmsKeys;

use crate::{Call, Client, Error};
use reqwest::Method;
use strongroom_api::{KmsSummary, WrappingKey};

/// The KMS of a region. Made by [`Client::kms`].
///
/// Every operation of a key is [not found](Error::is_not_found) when there is no such key, or the caller may not use it so. Refused with
/// status 400 it is when the key is out of use (`kms_key_unusable`, `key_pending_deletion`), its type has no such operation
/// (`unsupported_operation`), or the version isn't there or was retired (`kms_key_version_not_found`, `key_version_retired`).
/// [Unavailable](Error::is_unavailable) it is where the region has no KMS, or its KMS can't be reached.
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
    /// Any; [denied](Error::is_denied) when the caller may not make keys; `unsupported_operation` (400) where nothing can be imported.
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
