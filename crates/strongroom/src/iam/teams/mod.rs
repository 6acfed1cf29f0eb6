//! Teams: groups of users of one organisation.

mod create;
mod delete;
mod get;
mod list;
mod update;
mod view;

pub use create::{CreateTeam, NewTeam};
pub use delete::DeleteTeam;
pub use update::UpdateTeam;
pub use view::{TeamMemberView, TeamView};

use super::Attempted;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::iam::{Permission, ResourceType};

/// What is tried on teams.
pub(crate) const fn attempted(action: Action, permission: Permission) -> Attempted {
    Attempted { action, resource: ResourceKind::Team, guard: ResourceType::Team, permission }
}
