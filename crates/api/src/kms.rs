use crate::Encoded;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A KMS key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KmsKey {
    /// Its identity.
    pub identity: String,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// Its description.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The identity of its project; none for a key of the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// What it is, such as `aes256-gcm96`.
    pub key_type: String,
    /// `active`, `disabled` or `pending_deletion`.
    pub status: String,
    /// Whether its material may ever be given out.
    pub export_allowed: bool,
    /// Whether it is rotated by itself.
    pub key_rotation_enabled: bool,
    /// After how many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_period_in_days: Option<u32>,
    /// The number of its newest version.
    pub latest_version: u32,
    /// Its versions by rising number.
    pub versions: Vec<KmsKeyVersion>,
    /// The lowest version that still decrypts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_decryption_version: Option<u32>,
    /// When it is purged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_scheduled_at: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
    /// Counts its changes, from 1.
    pub object_version: u64,
}

/// A version of a KMS key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KmsKeyVersion {
    /// Its number.
    pub version: u32,
    /// When it was made.
    pub created_at: String,
}

/// What can be used of the KMS, by region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KmsSummary {
    /// Whether the KMS is switched on for the organisation.
    pub feature_enabled: bool,
    /// The regions.
    pub regions: Vec<RegionSummary>,
}

/// What can be used of the KMS in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegionSummary {
    /// The region's identity.
    pub identity: String,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// Whether it has a KMS that is switched on.
    pub kms_available: bool,
    /// How many keys the scope has there.
    pub total_keys: u64,
    /// How many of them are active.
    pub active_keys: u64,
    /// How many are disabled.
    pub disabled_keys: u64,
    /// How many are pending deletion.
    pub pending_deletion_keys: u64,
}

/// A KMS key to be made.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateKey {
    /// Its name.
    pub name: String,
    /// What it shall be; `aes256-gcm96` when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_type: Option<String>,
    /// A description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Whether its material may ever be given out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export_allowed: Option<bool>,
    /// Whether it is rotated by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_rotation_enabled: Option<bool>,
    /// After how many days, 1 to 3650.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_period_in_days: Option<i64>,
    /// Wrapped material to import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import_key_material: Option<Encoded>,
}

/// Something to encrypt with a KMS key.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Encrypt {
    /// 1 to 65535 bytes, base64.
    pub plaintext: Encoded,
    /// With which version, a number written as a string; none means the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_version: Option<String>,
    /// Not supported: must be empty or left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Encoded>,
}

/// What was encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Encrypted {
    /// The ciphertext, which names the key version.
    pub ciphertext: String,
    /// The key version, a number written as a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_version: Option<String>,
}

/// Something to decrypt with a KMS key.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decrypt {
    /// What encrypting answered.
    pub ciphertext: String,
    /// Not supported: must be empty or left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Encoded>,
}

/// What was decrypted.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decrypted {
    /// The plaintext, base64.
    pub plaintext: Encoded,
    /// The key version, a number written as a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_version: Option<String>,
}
