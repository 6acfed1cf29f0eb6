use crate::Encoded;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A new version of a secret: exactly one of `secretString`, `secretKeyValues`, `generateSecret`.
#[derive(Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PutValue {
    /// The secret's path, once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::SecretPath>))]
    pub path: Option<String>,
    /// A single value, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_string: Option<Encoded>,
    /// Named values, each base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KeyValues>))]
    pub secret_key_values: Option<BTreeMap<String, Encoded>>,
    /// A value to be generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generate_secret: Option<GenerateSecret>,
    /// What `currentVersion` must be for the put to happen; 0: none is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
}

/// Asks for random bytes as the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct GenerateSecret {
    /// How many, 1 to 4096; 0 or nothing means 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 4096))]
    pub byte_length: Option<i64>,
}

/// A version was put.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PutDone {
    /// The secret's path.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::SecretPath))]
    pub path: String,
    /// The new version's number.
    pub version: u64,
}

/// Asks for a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RevealValue {
    /// The secret's path, once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::SecretPath>))]
    pub path: Option<String>,
    /// Which version, from 1; none means the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 9_223_372_036_854_775_807_i64))]
    pub version: Option<u64>,
}

/// A value, revealed: either `secretString` or `secretKeyValues`.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SecretValue {
    /// The secret's path.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::SecretPath))]
    pub path: String,
    /// Which version it is.
    pub version: u64,
    /// A single value, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_string: Option<Encoded>,
    /// Named values, each base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KeyValues>))]
    pub secret_key_values: Option<BTreeMap<String, Encoded>>,
    /// The identity of the KMS key that opened it.
    pub kms_key_identity: String,
    /// The version of that key: a number, written as a string.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::KeyVersion))]
    pub kms_key_version: String,
}
