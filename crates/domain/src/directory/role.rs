use super::Named;
use crate::iam::Rule;
use crate::id::{BindingId, OrganisationId, RoleId, ServiceAccountId, TeamId, UserId};
use core::fmt;

/// Rules under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The role.
    pub id: RoleId,
    /// Whose.
    pub organisation: OrganisationId,
    /// What it is called.
    pub named: Named,
    /// Whether it came with the organisation and can't be changed.
    pub read_only: bool,
    /// What it allows: at most 1,000 rules of at most 1 MiB together, in the order in which they were added. All of them count; none takes
    /// away what another gives.
    pub rules: Vec<Rule>,
}

/// To whom a role is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BoundTo {
    /// To one user.
    User(UserId),
    /// To all members of a team.
    Team(TeamId),
    /// To a service account.
    ServiceAccount(ServiceAccountId),
}

impl fmt::Display for BoundTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => id.fmt(f),
            Self::Team(id) => id.fmt(f),
            Self::ServiceAccount(id) => id.fmt(f),
        }
    }
}

/// Gives somebody the rules of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The binding.
    pub id: BindingId,
    /// In which organisation.
    pub organisation: OrganisationId,
    /// Which role.
    pub role: RoleId,
    /// What the binding is called.
    pub named: Named,
    /// Who holds the role by it.
    pub to: BoundTo,
    /// Projects, by identity or slug, to which it is limited: at most 100; empty for the whole organisation and all its projects.
    pub projects: Vec<String>,
}
