mod browse;
mod create;
mod delete;
mod put;
mod reveal;
mod reveal_many;

pub use browse::Entry;
pub use create::NewSecret;
pub use delete::Delete;
pub use put::PutOptions;
pub use reveal_many::{Refused, RevealOutcome, RevealedItem};

use crate::filter::labels;
use crate::pages::{self, PAGE};
use crate::{Call, Client, Error, Items};
use reqwest::Method;
use std::collections::BTreeMap;
use strongroom_api::{Json, PatchSecret, Secret, SecretVersion, SetPolicy};

/// Secrets of a region. Made by [`Client::secrets`].
#[derive(Clone)]
pub struct Secrets {
    client: Client,
    region: String,
}

impl Secrets {
    pub(crate) fn new(client: &Client, region: String) -> Self {
        Self { client: client.clone(), region }
    }

    fn call(&self, method: Method, last: &str) -> Call {
        Call::new(method, &["v1", "secrets", &self.region, last])
    }

    fn at(&self, method: Method, path: &str) -> Call {
        self.call(method, "secret").secret(path)
    }

    /// What there is to know of a secret, without its values and versions.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is none.
    pub async fn describe(&self, path: &str) -> Result<Secret, Error> {
        self.client.send_json(self.at(Method::GET, path)).await
    }

    /// The versions of a secret by rising number, without their values.
    #[must_use]
    pub fn history(&self, path: &str) -> Items<SecretVersion> {
        let call = self.at(Method::GET, path).query("includeVersions", "true").query("versionLimit", PAGE);
        pages::linked(&self.client, call, |secret: Secret| secret.versions.unwrap_or_default())
    }

    /// All secrets below a directory, such as `/app/` or `/`, in bytewise order of their paths, that the caller may read.
    #[must_use]
    pub fn list(&self, directory: &str) -> Items<Secret> {
        self.list_labelled(directory, &BTreeMap::new())
    }

    /// The same, of those that have all these labels.
    #[must_use]
    pub fn list_labelled(&self, directory: &str, wanted: &BTreeMap<String, String>) -> Items<Secret> {
        let call = self.call(Method::GET, "secrets").query("pathPrefix", directory).query("limit", PAGE);
        pages::linked(&self.client, labels(call, wanted), |secrets: Vec<Secret>| secrets)
    }

    /// Changes description, labels, annotations, and how many active versions are kept. To set or lower that takes `delete` besides
    /// `update`, because puts destroy versions by it.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such secret; [denied](Error::is_denied) without `update`, and without
    /// `delete` to set or lower the maximum; `invalid_request` (400) when the metadata would break a rule.
    pub async fn patch(&self, path: &str, patch: &PatchSecret) -> Result<Secret, Error> {
        self.client.send_json(self.at(Method::PATCH, path).json(patch)).await
    }

    /// Sets the access policy; [`Json::Null`] clears it.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such secret; `invalid_policy` (400) for what can't be enforced, which the
    /// message names.
    pub async fn set_policy(&self, path: &str, policy: Json) -> Result<Secret, Error> {
        let call = self.at(Method::PUT, path).segment("policy");
        self.client.send_json(call.json(&SetPolicy { access_policy: policy })).await
    }

    /// Destroys a version for good. One that is destroyed already stays so.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such secret, or never was such a version.
    pub async fn destroy(&self, path: &str, version: u64) -> Result<(), Error> {
        let call = self.at(Method::DELETE, path).segment("versions").query("version", &version.to_string());
        self.client.send(call).await.map(drop)
    }
}
