//! Roles, their rules, and their bindings.

mod add_rule;
mod create;
mod delete;
mod delete_rule;
mod get;
mod list;

pub use add_rule::{AddRule, NewRule};
pub use create::{CreateRole, NewRole};
pub use delete::DeleteRole;
pub use delete_rule::DeleteRule;

pub(crate) use delete::changeable;

use super::Attempted;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::iam::{Permission, ResourceType};

/// What is tried on roles.
pub(crate) const fn attempted(action: Action, permission: Permission) -> Attempted {
    Attempted { action, resource: ResourceKind::OrganisationRole, guard: ResourceType::OrganisationRole, permission }
}
