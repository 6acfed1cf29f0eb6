use super::{AppUser, NamedFields};
use serde::{Deserialize, Serialize};

/// Who calls, with what, and where they can act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Me {
    /// `user`, `service_account` or `operator`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Their identity.
    pub identity: String,
    /// Their name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Their address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// The identity of what they authenticated with.
    pub credential: String,
    /// What it allows: `api:read`, `api:write`.
    pub scopes: Vec<String>,
    /// Where they can act.
    pub organisations: Vec<MyOrganisation>,
}

/// An organisation where the caller can act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MyOrganisation {
    /// Its identity.
    pub identity: String,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// What the caller is there: `OWNER` or `MEMBER`.
    pub role: String,
}

/// A membership of the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrganisationMembership {
    /// Its identity.
    pub identity: String,
    /// When it began.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Time))]
    pub created_at: String,
    /// Where.
    pub organisation: NamedFields,
    /// Who.
    pub user: AppUser,
    /// `OWNER` or `MEMBER`.
    pub role: String,
}
