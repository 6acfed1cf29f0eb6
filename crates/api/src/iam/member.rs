use super::AppUser;
use serde::{Deserialize, Serialize};

/// A user's membership in an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrganisationMember {
    /// Its identity.
    pub identity: String,
    /// When it began.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Time))]
    pub created_at: String,
    /// Whose.
    pub user: AppUser,
    /// `OWNER` or `MEMBER`.
    pub role: String,
}

/// A known user to be made a member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewOrganisationMember {
    /// The user's identity.
    pub user_identity: String,
    /// `OWNER` or `MEMBER`, which it is when it isn't given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// A membership to be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UpdateOrganisationMember {
    /// `OWNER` or `MEMBER`.
    pub role: String,
}
