use super::Secrets;
use crate::value::encode;
use crate::{Error, NewValue, Value};
use reqwest::Method;
use std::collections::BTreeMap;
use strongroom_api::{Encoded, GenerateSecret, PutDone, PutValue};
use uuid::Uuid;

/// How a value is put.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutOptions {
    /// What the current version must be for the put to happen, 0 for none; else it is a [conflict](Error::is_conflict).
    pub expected_version: Option<u64>,
    /// Names the call, so that it is done once also when it is made again by another client within 24 hours. Without, it has a random name.
    pub idempotency_key: Option<String>,
}

impl Secrets {
    /// Puts a new version of a secret.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such secret; a [conflict](Error::is_conflict) when the version is another
    /// than was expected (`version_mismatch`), or it has as many active versions as it may (`too_many_versions`);
    /// [denied](Error::is_denied) by the permission, the access policy (`access_policy_denied`) or the key (`kms_key_forbidden`);
    /// `kms_key_unusable` or `key_pending_deletion` (400) when the key is out of use; `value_too_large` (413); `idempotency_mismatch` (422)
    /// when the name of the call was used for another; [unavailable](Error::is_unavailable) while the KMS is.
    pub async fn put(&self, path: &str, value: &NewValue, options: &PutOptions) -> Result<PutDone, Error> {
        let (secret_string, secret_key_values, generate_secret) = given(value);
        let expected_version = options.expected_version;
        let body = PutValue { path: None, secret_string, secret_key_values, generate_secret, expected_version };
        let call = self.at(Method::POST, path).segment("versions").json(&body);
        let key = options.idempotency_key.clone().unwrap_or_else(new_key);
        self.client.send_json(call.idempotency_key(&key)).await
    }
}

type Given = (Option<Encoded>, Option<BTreeMap<String, Encoded>>, Option<GenerateSecret>);

/// The members that give a value.
pub(super) fn given(value: &NewValue) -> Given {
    match value {
        NewValue::Given(Value::Single(plain)) => (Some(encode(plain.expose())), None, None),
        NewValue::Given(Value::KeyValues(values)) => {
            let values = values.iter().map(|(name, plain)| (name.clone(), encode(plain.expose())));
            (None, Some(values.collect()), None)
        }
        NewValue::Generated(length) => (None, None, Some(GenerateSecret { byte_length: Some(i64::from(*length)) })),
    }
}

#[expect(clippy::disallowed_methods, reason = "names one call; nothing rests on how it is chosen but that it is new")]
pub(super) fn new_key() -> String {
    Uuid::new_v4().to_string()
}
