use super::Named;
use crate::id::{MemberId, OrganisationId, TeamId, TeamMemberId, UserId};
use crate::time::Timestamp;

/// Where a user comes from, when another issuer vouches for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The issuer (`iss`).
    pub issuer: String,
    /// Who they are there (`sub`).
    pub subject: String,
}

/// A person. Belongs to no organisation; memberships say where they act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user.
    pub id: UserId,
    /// Where they log in; `None` for users who have tokens only.
    pub login: Option<Login>,
    /// Their name.
    pub name: String,
    /// Their address; empty when it isn't known.
    pub email: String,
    /// When they became known.
    pub created_at: Timestamp,
}

/// What a user is in an organisation, beside what roles give them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberRole {
    /// Holds every permission there.
    Owner,
    /// Holds what roles give.
    Member,
}

impl MemberRole {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "OWNER",
            Self::Member => "MEMBER",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Owner, Self::Member].into_iter().find(|role| role.as_str() == name)
    }
}

/// A user's membership in an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganisationMember {
    /// The membership.
    pub id: MemberId,
    /// In which organisation.
    pub organisation: OrganisationId,
    /// Whose.
    pub user: UserId,
    /// As what.
    pub role: MemberRole,
    /// When it began.
    pub created_at: Timestamp,
}

/// A group of users of one organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// The team.
    pub id: TeamId,
    /// Whose.
    pub organisation: OrganisationId,
    /// What it is called.
    pub named: Named,
}

/// What a user is in a team. It gives no permission by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamRole {
    /// Owner.
    Owner,
    /// Admin.
    Admin,
    /// Member.
    Member,
}

impl TeamRole {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "OWNER",
            Self::Admin => "ADMIN",
            Self::Member => "MEMBER",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Owner, Self::Admin, Self::Member].into_iter().find(|role| role.as_str() == name)
    }
}

/// A user's membership in a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamMember {
    /// The membership.
    pub id: TeamMemberId,
    /// In which organisation.
    pub organisation: OrganisationId,
    /// In which team.
    pub team: TeamId,
    /// Whose.
    pub user: UserId,
    /// As what.
    pub role: TeamRole,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last changed; equal to `created_at` until then.
    pub updated_at: Timestamp,
}
