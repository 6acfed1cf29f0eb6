use crate::{Encoded, GenerateSecret, Json, Region};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// A secret without its values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Secret {
    /// Where it lives.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::SecretPath))]
    pub path: String,
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
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Time))]
    pub created_at: String,
    /// When it was last changed by a put, a destroy, or a change of policy or metadata.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Time))]
    pub updated_at: String,
    /// The KMS key that it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<SecretKey>,
    /// The highest active version; 0 when none is active.
    pub current_version: u64,
    /// Counts its changes, from 1.
    pub object_version: u64,
    /// When a value was last revealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Time>))]
    pub last_accessed_at: Option<String>,
    /// Where it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Its access policy, as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::AccessPolicy>))]
    pub access_policy: Option<Json>,
    /// How many of its active versions are kept: a put that leaves more destroys the oldest. Not there when it is not set: then all are
    /// kept, but where the operator keeps fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100_000))]
    pub max_active_versions: Option<u32>,
    /// Its versions by rising number, when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<Vec<SecretVersion>>,
}

/// What a secret shows of its KMS key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SecretKey {
    /// The key's identity.
    pub identity: String,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// What it is, such as `aes256-gcm96`.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::KeyType))]
    pub key_type: String,
    /// `active`, `disabled` or `pending_deletion`.
    pub status: String,
}

/// A version without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SecretVersion {
    /// Its number.
    pub version: u64,
    /// `active` or `destroyed`.
    pub status: String,
    /// `current` on the highest active version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// `string` or `keyValue`.
    pub value_format: String,
    /// When it was put.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Time))]
    pub created_at: String,
    /// When it was last revealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Time>))]
    pub last_accessed_at: Option<String>,
    /// When it was destroyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Time>))]
    pub destroyed_at: Option<String>,
}

/// One level of the tree of paths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BrowseResult {
    /// The directory, with its trailing slash.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Directory))]
    pub path: String,
    /// Its child directories with something in them that the caller may read, as whole paths with a trailing slash.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::schema::Directory>))]
    pub prefixes: Vec<String>,
    /// The secrets directly in it.
    pub secrets: Vec<Secret>,
}

/// A secret to be made, with its first value: exactly one of `secretString`, `secretKeyValues`, `generateSecret`.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreateSecret {
    /// Where it shall live.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::SecretPath))]
    pub path: String,
    /// The identity of the KMS key to bind it to, for good.
    pub kms_key_identity: String,
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
    /// An access policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::AccessPolicy>))]
    pub access_policy: Option<Json>,
    /// How many active versions are kept: a put that leaves more destroys the oldest. More than the operator allows (by default 1000) says
    /// nothing. Not there means not set: all are kept, but where the operator keeps fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100_000))]
    pub max_active_versions: Option<u32>,
}

/// A secret's access policy, to be set, or cleared with [`Json::Null`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", schema(description = "A secret's access policy, to be set, or cleared with null."))]
pub struct SetPolicy {
    /// The policy. The member must be there.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::AccessPolicy>, required = true))]
    pub access_policy: Json,
}

/// A change of a secret's metadata: a merge patch (RFC 7396). The outer `None` leaves a member as it is; the inner one removes
/// it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(
    feature = "openapi",
    schema(
        description = "A change of a secret's metadata: a merge patch (RFC 7396). What isn't there stays as it is; null removes it."
    )
)]
pub struct PatchSecret {
    /// The description.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Description>))]
    pub description: Option<Option<String>>,
    /// Labels by key; null removes the one of that key.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::LabelChanges>))]
    pub labels: Option<Option<BTreeMap<String, Option<String>>>>,
    /// Annotations by key; null removes the one of that key.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::AnnotationChanges>))]
    pub annotations: Option<Option<BTreeMap<String, Option<String>>>>,
    /// How many active versions are kept from now on; more than the operator allows (by default 1000) says nothing. Null takes the setting
    /// away, as it is by default: all are kept, but where the operator keeps fewer. What is too many then goes with the puts to come.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u32>, minimum = 1, maximum = 100_000))]
    pub max_active_versions: Option<Option<u32>>,
}

/// Tells a member that is null from one that isn't there.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
