//! Providers of foreign identities: issuers whose tokens are taken in exchange.

mod create;
mod delete;
mod get;
mod list;
mod update;
mod view;

pub use create::{CreateIdentityProvider, NewIdentityProvider};
pub use delete::DeleteIdentityProvider;
pub use update::{IdentityProviderPatch, UpdateIdentityProvider};
pub use view::IdentityProviderView;

use super::Attempted;
use crate::error::{Code, Error};
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::iam::{Permission, ResourceType};

/// What is tried on providers.
pub(crate) const fn attempted(action: Action, permission: Permission) -> Attempted {
    Attempted {
        action,
        resource: ResourceKind::IdentityProvider,
        guard: ResourceType::FederatedIdentityProvider,
        permission,
    }
}

/// Refuses to change a member that is fixed once the object is there.
pub(crate) fn check_fixed(field: &str, wanted: Option<&str>, present: Option<&str>) -> Result<(), Error> {
    if wanted.is_none() || wanted == present {
        return Ok(());
    }
    Err(Error::new(
        Code::InvalidRequest,
        format!("`{field}`: cannot be changed; leave it out, or delete the object and make another."),
    ))
}
