//! What the operator sees and changes.

use crate::secret::present;
use crate::{AppUser, Encoded, NamedFields, NewUser, Region};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An organisation, as the operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SystemOrganisation {
    /// What it has in common with others.
    #[serde(flatten)]
    pub named: NamedFields,
    /// What it may use.
    pub gates: Gates,
}

/// Which services an organisation may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Gates {
    /// The secrets manager; needs `kms` too.
    pub secrets: bool,
    /// The key management service.
    pub kms: bool,
    /// Projects.
    pub projects: bool,
}

/// Gates to be opened or closed; what isn't given stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SetGates {
    /// The secrets manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<bool>,
    /// The key management service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms: Option<bool>,
    /// Projects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projects: Option<bool>,
}

/// An organisation to be made. Exactly one of `owner` and `ownerIdentity` is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewOrganisation {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Name))]
    pub name: String,
    /// Its slug; made from the name when it isn't given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Slug>))]
    pub slug: Option<String>,
    /// An owner who isn't known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<NewUser>,
    /// The identity of a user to be the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_identity: Option<String>,
}

/// An organisation that was made.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreatedOrganisation {
    /// What can be had again.
    #[serde(flatten)]
    pub organisation: SystemOrganisation,
    /// Its owner.
    pub owner: AppUser,
    /// The first token of an owner who is new, which acts in this organisation only; it can't be had again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Password))]
    pub token: Option<Encoded>,
}

/// A change of an organisation: a merge patch (RFC 7396). The outer `None` leaves a member as it is; the inner one removes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(
    feature = "openapi",
    schema(
        description = "A change of an organisation: a merge patch (RFC 7396). What isn't there stays as it is; null removes it."
    )
)]
pub struct PatchOrganisation {
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Name>))]
    pub name: Option<String>,
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
}

/// A region, as the operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SystemRegion {
    /// What everybody sees.
    #[serde(flatten)]
    pub region: Region,
    /// Whether its KMS is switched on.
    pub kms_enabled: bool,
    /// Whether its KMS may be used: it is switched on, and the node that answers has one configured.
    pub kms_available: bool,
}

/// A region to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewRegion {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Name))]
    pub name: String,
    /// Its slug; made from the name when it isn't given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Slug>))]
    pub slug: Option<String>,
    /// A description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Description>))]
    pub description: Option<String>,
    /// Whether its KMS is switched on, which it is when this isn't given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_enabled: Option<bool>,
}

/// A region to be changed; what isn't given stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UpdateRegion {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Name>))]
    pub name: Option<String>,
    /// Its description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Description>))]
    pub description: Option<String>,
    /// Whether its KMS is switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_enabled: Option<bool>,
}

/// The key that access tokens are signed with from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SigningKey {
    /// Its name in tokens and in the set of public keys.
    pub kid: String,
}

/// Which root keys a node knows, by their names: eight hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RootKeyStatus {
    /// The store's.
    pub root_key: String,
    /// The newest that the node was given; a rotation leads to it.
    pub newest: String,
}

/// A rotation of the root key to be begun or continued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RotateRootKey {
    /// How many keys to seal anew at the most, 1 to 1000; 500 when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000))]
    pub limit: Option<u64>,
}

/// How far a rotation of the root key came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RootKeyRotation {
    /// The store's root key from now on.
    pub root_key: String,
    /// How many keys this call sealed anew.
    pub resealed: u64,
    /// Whether there may be more to do; then ask again.
    pub remaining: bool,
}
