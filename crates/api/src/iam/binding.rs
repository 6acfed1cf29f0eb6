use super::{NamedFields, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A binding of a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Binding {
    /// What it has in common with others.
    #[serde(flatten)]
    pub named: NamedFields,
    /// The role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_role: Option<Role>,
    /// The user to whom it is bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<AppUser>,
    /// The team to whose members it is bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<NamedFields>,
    /// The service account to which it is bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<NamedFields>,
    /// The projects to which it is limited; none for the whole organisation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AppUser {
    /// Their identity.
    pub subject: String,
    /// Their name.
    pub name: String,
    /// Their address; empty when it isn't known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// When they became known.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Time))]
    pub created_at: String,
}

/// A binding to be made. Exactly one of user, team and service account is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewBinding {
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
    /// The identity of a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_identity: Option<String>,
    /// The identity of a team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_identity: Option<String>,
    /// The identity of a service account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_identity: Option<String>,
    /// Projects, by identity or slug, to which it is limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}
