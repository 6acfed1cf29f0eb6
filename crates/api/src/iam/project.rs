use super::NamedFields;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// What it has in common with others.
    #[serde(flatten)]
    pub named: NamedFields,
    /// The project that it stands below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_project: Option<ParentProject>,
}

/// The project that another stands below.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ParentProject {
    /// Its identity.
    pub identity: String,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
}

/// A project to be made, or what it shall be. In a change, what isn't given but the name stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewProject {
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
    /// The identity of the project that it shall stand below; empty for the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_project_identity: Option<String>,
}
