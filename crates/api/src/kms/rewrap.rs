use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How much is to be re-wrapped at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Rewrap {
    /// At most so many versions of secrets, 1 to 1000; 500 when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000))]
    pub limit: Option<u64>,
}

/// What was re-wrapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Rewrapped {
    /// How many data keys were moved to the newest version of the key.
    pub rewrapped: u64,
    /// How many could not be.
    pub failed: u64,
    /// How many are still under an earlier version.
    pub remaining: u64,
    /// The newest version of the key.
    pub latest_version: u32,
}

/// Which secrets are under a KMS key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct KeyInventory {
    /// By key version: how many versions of secrets are under it, also of those that the caller may not read.
    pub counts: BTreeMap<String, u64>,
    /// Those that the caller may read.
    pub secrets: Vec<KeyInventoryEntry>,
}

/// A version of a secret that is under a KMS key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct KeyInventoryEntry {
    /// Where the secret lives.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::SecretPath))]
    pub path: String,
    /// The identity of its project; none for a secret of the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Which version of the secret.
    pub version: u64,
    /// Which version of the key, a number written as a string.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::KeyVersion))]
    pub key_version: String,
}

/// Which versions of a KMS key are to go out of use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RetireKeyVersions {
    /// The lowest that still decrypts and verifies, a number written as a string; none means the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KeyVersion>))]
    pub min_decryption_version: Option<String>,
}
