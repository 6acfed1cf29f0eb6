use super::Named;
use crate::id::{MemberId, OrganisationId, TeamId, TeamMemberId, UserId};
use crate::time::Timestamp;

/// Where a user comes from, when another issuer vouches for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The issuer (`iss`), compared byte by byte: at most 1,024 bytes.
    pub issuer: String,
    /// Who they are there (`sub`), compared byte by byte: at most 255 bytes, none of them of a control character.
    pub subject: String,
}

/// A person. Belongs to no organisation; memberships say where they act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user.
    pub id: UserId,
    /// Where they log in; `None` for users who have tokens only.
    pub login: Option<Login>,
    /// Their name: 1 to 255 characters for a user who was made here; for one who logged in, what the issuer says, cut to 255 characters and
    /// without control characters, and empty when it says nothing.
    pub name: String,
    /// Their address: at most 254 characters for a user who was made here, 255 for one who logged in; empty when it isn't known, or the
    /// issuer says that it wasn't verified. Nothing is sent to it, and nothing decided by it.
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
    /// The user who is a member.
    pub user: UserId,
    /// As what.
    pub role: MemberRole,
    /// When it began.
    pub created_at: Timestamp,
}

/// A group of users of one organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// The team's identity.
    pub id: TeamId,
    /// The organisation that it belongs to; never another one.
    pub organisation: OrganisationId,
    /// Its name, slug and metadata.
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
    /// The user who is in the team.
    pub user: UserId,
    /// As what they are in the team; it decides nothing here.
    pub role: TeamRole,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last changed; equal to `created_at` until then.
    pub updated_at: Timestamp,
}
