use super::{AppUser, NamedFields};
use crate::Json;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An issuer whose tokens can be exchanged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct IdentityProvider {
    /// Its identity.
    pub identity: String,
    /// Its name.
    pub name: String,
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
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Time>))]
    pub updated_at: Option<String>,
    /// Counts its changes, from 1.
    pub object_version: u64,
    /// The issuer, as tokens name it.
    pub provider_issuer: String,
    /// Where its keys are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_jwks_uri: Option<String>,
    /// Its keys themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub local_jwks: Option<Json>,
    /// `active` or `inactive`.
    pub status: String,
    /// The user who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<AppUser>,
}

/// A provider to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewIdentityProvider {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Name))]
    pub name: String,
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
    /// The issuer, as tokens name it.
    pub provider_issuer: String,
    /// Where its keys are; none for where its discovery document says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_jwks_uri: Option<String>,
    /// Its keys themselves, a JWK set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub local_jwks: Option<Json>,
    /// `active` (also when left out) or `inactive`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// A change of a provider. What is left out or null stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UpdateIdentityProvider {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Name>))]
    pub name: Option<String>,
    /// Its description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Description>))]
    pub description: Option<String>,
    /// All of its labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Labels>))]
    pub labels: Option<BTreeMap<String, String>>,
    /// All of its annotations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Annotations>))]
    pub annotations: Option<BTreeMap<String, String>>,
    /// The issuer, which can't be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_issuer: Option<String>,
    /// Where its keys are; empty for where its discovery document says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_jwks_uri: Option<String>,
    /// Its keys themselves, which can't be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub local_jwks: Option<Json>,
    /// `active` or `inactive`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// What the subjects of a provider become.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FederatedIdentity {
    /// What it has in common with others.
    #[serde(flatten)]
    pub named: NamedFields,
    /// The service account that the subject becomes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<NamedFields>,
    /// The provider whose subject it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<IdentityProvider>,
    /// The subject, in which `*` stands for any characters.
    pub provider_subject: String,
    /// The audiences that are trusted.
    pub trusted_audiences: Vec<String>,
    /// `exact`, `any` or `all`.
    pub audience_match_mode: String,
    /// What its tokens allow; none for everything.
    pub allowed_scopes: Vec<String>,
    /// `active`, `inactive`, `expired` or `revoked`.
    pub status: String,
    /// When it ends, with the offset with which it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Time>))]
    pub expires_at: Option<String>,
    /// Claims that must hold, with their values, as an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Claims>))]
    pub conditions: Option<Json>,
}

/// A federated identity to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewFederatedIdentity {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Name))]
    pub name: String,
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
    /// The identity of the service account.
    pub service_account_identity: String,
    /// The identity of the provider.
    pub provider_identity: String,
    /// The subject, in which `*` stands for any characters.
    pub provider_subject: String,
    /// The audiences that are trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_audiences: Option<Vec<String>>,
    /// `exact`, `any` (also when left out) or `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience_match_mode: Option<String>,
    /// What its tokens allow; none for everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_scopes: Option<Vec<String>>,
    /// `active` (also when left out), `inactive`, `expired` or `revoked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::TimeOrNone>))]
    pub expires_at: Option<String>,
    /// Claims that must hold, with their values, as an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Claims>))]
    pub conditions: Option<Json>,
}

/// A change of a federated identity. What is left out or null stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UpdateFederatedIdentity {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Name>))]
    pub name: Option<String>,
    /// Its description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Description>))]
    pub description: Option<String>,
    /// All of its labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Labels>))]
    pub labels: Option<BTreeMap<String, String>>,
    /// All of its annotations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Annotations>))]
    pub annotations: Option<BTreeMap<String, String>>,
    /// The service account, which can't be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_identity: Option<String>,
    /// The provider, which can't be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_identity: Option<String>,
    /// The subject, which can't be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_subject: Option<String>,
    /// The audiences that are trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_audiences: Option<Vec<String>>,
    /// `exact`, `any` or `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience_match_mode: Option<String>,
    /// What its tokens allow; an empty list for everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_scopes: Option<Vec<String>>,
    /// `active`, `inactive`, `expired` or `revoked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::TimeOrNone>))]
    pub expires_at: Option<String>,
    /// Claims that must hold, with their values, as an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Claims>))]
    pub conditions: Option<Json>,
}
