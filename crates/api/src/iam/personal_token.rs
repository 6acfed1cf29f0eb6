use crate::Encoded;
use serde::{Deserialize, Serialize};

/// A personal access token, without the token itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PersonalAccessToken {
    /// Its identity.
    pub identity: String,
    /// What it is called.
    pub name: String,
    /// What it allows, as it was sent; none for everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The identity of the only organisation where it acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_identity: Option<String>,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Time))]
    pub created_at: String,
    /// When it ends, as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Time>))]
    pub expires_at: Option<String>,
}

/// A personal access token that was made.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct IssuedPersonalAccessToken {
    /// What can be had again.
    #[serde(flatten)]
    pub described: PersonalAccessToken,
    /// The token; it can't be had again.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password))]
    pub token: Encoded,
}

/// A personal access token to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewPersonalAccessToken {
    /// What it is called.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Name))]
    pub name: String,
    /// `api:read`, `api:write`; none for both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// When it shall end (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::TimeOrNone>))]
    pub expires_at: Option<String>,
}
