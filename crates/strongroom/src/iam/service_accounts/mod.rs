//! Service accounts: the identities of workloads.

mod create;
mod delete;
mod get;
mod list;
mod update;
mod view;

pub use create::{CreateServiceAccount, NewServiceAccount};
pub use delete::DeleteServiceAccount;
pub use update::UpdateServiceAccount;
pub use view::ServiceAccountView;

pub(crate) use delete::removal;
pub(crate) use view::maker;

use super::Attempted;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::iam::{Permission, ResourceType};

/// What is tried on service accounts.
pub(crate) const fn attempted(action: Action, permission: Permission) -> Attempted {
    Attempted { action, resource: ResourceKind::ServiceAccount, guard: ResourceType::ServiceAccount, permission }
}
