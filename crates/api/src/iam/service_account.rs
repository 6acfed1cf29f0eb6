use super::{AppUser, NamedFields};
use crate::Encoded;
use serde::{Deserialize, Serialize};

/// A service account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccount {
    /// What it has in common with others.
    #[serde(flatten)]
    pub named: NamedFields,
    /// The user who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<AppUser>,
    /// The roles that are bound to it.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub role_bindings: Vec<RoleBinding>,
}

/// A binding, as its service account shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoleBinding {
    /// What it has in common with others.
    #[serde(flatten)]
    pub named: NamedFields,
    /// The role, without its rules.
    pub organisation_role: NamedFields,
    /// The projects to which it is limited; none for the whole organisation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

/// An access credential, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AccessCredential {
    /// Its identity.
    pub identity: String,
    /// Its name; may be empty.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Description))]
    pub description: String,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Time))]
    pub created_at: String,
    /// When it ends, with the offset with which it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Time>))]
    pub expires_at: Option<String>,
    /// The public part.
    pub access_key: String,
    /// What it allows, as it was sent; none for everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

/// An access credential to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewAccessCredential {
    /// Its name; may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Description>))]
    pub description: Option<String>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::TimeOrNone>))]
    pub expires_at: Option<String>,
    /// What it allows; none for everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

/// An access credential that was just made: the only time that its secret is shown.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreatedAccessCredential {
    /// Its identity.
    pub identity: String,
    /// The public part.
    pub access_key: String,
    /// The secret part.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password))]
    pub access_secret: Encoded,
    /// What it allows, as it was sent; none for everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}
