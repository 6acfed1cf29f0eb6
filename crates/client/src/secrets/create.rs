use super::Secrets;
use super::put::{given, new_key};
use crate::{Error, NewValue};
use reqwest::Method;
use std::collections::BTreeMap;
use strongroom_api::{CreateSecret, Json, Secret};

/// A secret to be made. Has neither `Debug` nor `Display`.
pub struct NewSecret {
    path: String,
    key: String,
    value: NewValue,
    description: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
    access_policy: Option<Json>,
    max_active_versions: Option<u32>,
    idempotency_key: Option<String>,
}

impl NewSecret {
    /// A secret at this path, bound for good to the KMS key of this identity (its slug doesn't do), with its first value.
    #[must_use]
    pub fn new(path: impl Into<String>, kms_key_identity: impl Into<String>, value: impl Into<NewValue>) -> Self {
        Self {
            path: path.into(),
            key: kms_key_identity.into(),
            value: value.into(),
            description: None,
            labels: None,
            annotations: None,
            access_policy: None,
            max_active_versions: None,
            idempotency_key: None,
        }
    }

    /// Describes it.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Gives it labels.
    #[must_use]
    pub fn labels(mut self, labels: BTreeMap<String, String>) -> Self {
        self.labels = Some(labels);
        self
    }

    /// Gives it annotations.
    #[must_use]
    pub fn annotations(mut self, annotations: BTreeMap<String, String>) -> Self {
        self.annotations = Some(annotations);
        self
    }

    /// Gives it an access policy.
    #[must_use]
    pub fn access_policy(mut self, policy: Json) -> Self {
        self.access_policy = Some(policy);
        self
    }

    /// Keeps so many of its active versions, 1 to 100 000: a put that leaves more destroys the oldest.
    #[must_use]
    pub const fn max_active_versions(mut self, most: u32) -> Self {
        self.max_active_versions = Some(most);
        self
    }

    /// Names the call, so that it is done once also when it is made again by another client within 24 hours. Without, it has a random name.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

impl Secrets {
    /// Makes a secret.
    ///
    /// # Errors
    /// Any; a [conflict](Error::is_conflict) (`secret_exists`) when there is one at the path; [not found](Error::is_not_found)
    /// (`kms_key_not_found`) when there is no such key, or the caller may not encrypt with it; `kms_key_unusable` or `key_pending_deletion`
    /// (400) when it is out of use; `value_too_large` (413); `idempotency_mismatch` (422) when the name of the call was used for another;
    /// [unavailable](Error::is_unavailable) while the KMS is.
    pub async fn create(&self, secret: &NewSecret) -> Result<Secret, Error> {
        let (secret_string, secret_key_values, generate_secret) = given(&secret.value);
        let body = CreateSecret {
            path: secret.path.clone(),
            kms_key_identity: secret.key.clone(),
            description: secret.description.clone(),
            labels: secret.labels.clone(),
            annotations: secret.annotations.clone(),
            secret_string,
            secret_key_values,
            generate_secret,
            access_policy: secret.access_policy.clone(),
            max_active_versions: secret.max_active_versions,
        };
        let call = self.call(Method::POST, "secrets").json(&body);
        let key = secret.idempotency_key.clone().unwrap_or_else(new_key);
        self.client.send_json(call.idempotency_key(&key)).await
    }
}
