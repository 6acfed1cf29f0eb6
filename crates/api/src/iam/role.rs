use super::NamedFields;
use serde::{Deserialize, Serialize};

/// A role with its rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Role {
    /// What it has in common with others.
    #[serde(flatten)]
    pub named: NamedFields,
    /// Whether it can't be changed.
    pub is_read_only: bool,
    /// Whether it came with the organisation.
    pub system: bool,
    /// What it allows.
    pub rules: Vec<Rule>,
}

/// A rule of a role, as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Its identity.
    pub identity: String,
    /// Types of resources; `*` stands for all.
    pub resources: Vec<String>,
    /// Which ones, by path pattern, identity or slug; empty for all.
    pub resource_identities: Vec<String>,
    /// What is allowed; `*` stands for everything.
    pub permissions: Vec<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A rule to be added. A list that is null is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewRule {
    /// Types of resources; `*` stands for all.
    #[serde(default)]
    pub resources: Option<Vec<String>>,
    /// Which ones, by path pattern, identity or slug; empty for all.
    #[serde(default)]
    pub resource_identities: Option<Vec<String>>,
    /// What is allowed; `*` stands for everything.
    #[serde(default)]
    pub permissions: Option<Vec<String>>,
    /// What it is for.
    #[serde(default)]
    pub note: Option<String>,
}
