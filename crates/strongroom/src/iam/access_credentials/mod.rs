//! Access credentials of service accounts: a key, and a secret that is shown once.

mod create;
mod delete;
mod list;

pub use create::{CreateAccessCredential, CreatedAccessCredential, NewAccessCredential};
pub use delete::DeleteAccessCredential;

use super::Attempted;
use crate::error::{Code, Error};
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::directory::Expiry;
use strongroom_domain::iam::{Permission, ResourceType};
use strongroom_domain::time::Timestamp;

/// What is tried on the credentials of a service account: it takes the right to change that.
pub(crate) const fn attempted(action: Action) -> Attempted {
    Attempted {
        action,
        resource: ResourceKind::AccessCredential,
        guard: ResourceType::ServiceAccount,
        permission: Permission::Update,
    }
}

/// Refuses an end that has come already.
pub(crate) fn check_expiry(expires: Option<&Expiry>, at: Timestamp) -> Result<(), Error> {
    match expires {
        Some(expiry) if expiry.is_over(at) => Err(Error::new(
            Code::InvalidRequest,
            "`expiresAt`: is over already; give a time in the future, or leave it out for no end.",
        )),
        _ => Ok(()),
    }
}
