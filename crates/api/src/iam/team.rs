use super::{AppUser, NamedFields};
use serde::{Deserialize, Serialize};

/// A team with its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Team {
    /// What it has in common with others.
    #[serde(flatten)]
    pub named: NamedFields,
    /// Its members.
    pub members: Vec<TeamMember>,
}

/// A user in a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TeamMember {
    /// The membership's identity.
    pub identity: String,
    /// `OWNER`, `ADMIN` or `MEMBER`.
    pub role: String,
    /// The user.
    pub user: AppUser,
    /// When it began.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Time))]
    pub created_at: String,
    /// When it was last changed; when it began, until then.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Time))]
    pub updated_at: String,
}

/// A user to be added to a team.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewTeamMember {
    /// The user's identity.
    pub user_identity: String,
    /// `OWNER`, `ADMIN` or `MEMBER`, which it is when it isn't given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}
