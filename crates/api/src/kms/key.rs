use crate::Encoded;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A KMS key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Description))]
    pub description: String,
    /// Its labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Labels))]
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Annotations))]
    pub annotations: BTreeMap<String, String>,
    /// The identity of its project; none for a key of the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// What it is, such as `aes256-gcm96`.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::KeyType))]
    pub key_type: String,
    /// `active`, `disabled` or `pending_deletion`.
    pub status: String,
    /// Whether its material may ever be given out.
    pub export_allowed: bool,
    /// Whether its material was made elsewhere.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub imported: bool,
    /// Whether it is rotated by itself.
    pub key_rotation_enabled: bool,
    /// After how many days; kept as set while it isn't rotated by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 3650))]
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
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Time>))]
    pub deletion_scheduled_at: Option<String>,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Time))]
    pub created_at: String,
    /// When it was last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Time))]
    pub updated_at: String,
    /// Counts its changes, from 1.
    pub object_version: u64,
}

/// A version of a KMS key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct KmsKeyVersion {
    /// Its number.
    pub version: u32,
    /// `active`, or `retired`: it neither decrypts nor verifies any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Time))]
    pub created_at: String,
}

/// What can be used of the KMS, by region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct KmsSummary {
    /// Whether the KMS is switched on for the organisation.
    pub feature_enabled: bool,
    /// The regions.
    pub regions: Vec<RegionSummary>,
}

/// What can be used of the KMS in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreateKey {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Name))]
    pub name: String,
    /// What it shall be; `aes256-gcm96` when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KeyType>))]
    pub key_type: Option<String>,
    /// A description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Description>))]
    pub description: Option<String>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Labels>))]
    pub labels: Option<BTreeMap<String, String>>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Annotations>))]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Whether its material may ever be given out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export_allowed: Option<bool>,
    /// Whether it is rotated by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_rotation_enabled: Option<bool>,
    /// After how many days, 1 to 3650.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 3650))]
    pub rotation_period_in_days: Option<i64>,
    /// Material to import, wrapped under the wrapping key, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import_key_material: Option<Encoded>,
    /// The hash of RSA-OAEP with which the material is wrapped: `sha1`, `sha256` (when not said), `sha384` or `sha512`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_function: Option<String>,
    /// Whether an imported key may get versions with material that is made here. Without material to import it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_rotation: Option<bool>,
}

/// When a KMS key is to be rotated by itself. What isn't given stays; an empty object switches it off and clears the period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SetRotation {
    /// Whether it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_rotation_enabled: Option<bool>,
    /// After how many days, 1 to 3650.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 3650))]
    pub rotation_period_in_days: Option<i64>,
}

/// A KMS key that was deleted, and can be had back until it is purged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeletedKey {
    /// The key, which says when it is purged.
    #[serde(flatten)]
    pub key: KmsKey,
    /// How many secrets become unreadable with it.
    pub bound_secrets: u64,
}

/// The key under which material is wrapped to be imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct WrappingKey {
    /// Its public part, an RSA key in PEM.
    pub public_key: String,
    /// How material is wrapped under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
}

/// The public parts of a KMS key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PublicKeys {
    /// By key version: PEM, or base64 of the 32 bytes for Ed25519.
    pub keys: BTreeMap<String, String>,
}
