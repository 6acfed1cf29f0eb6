//! Users of an organisation, as people. What they are there is their membership.

mod create;
mod delete_token;
mod get;
mod issue_token;
mod list;
mod list_tokens;

pub use create::{CreateUser, NewUser};
pub use delete_token::DeleteUserToken;
pub use issue_token::IssueUserToken;

use super::permit::{Attempted, Permit};
use crate::engine::Engine;
use crate::error::{Code, Error};
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::directory::OrganisationMember;
use strongroom_domain::iam::{Permission, ResourceType};
use strongroom_domain::id::{OrganisationId, UserId};

/// What is tried on users: their memberships guard them.
pub(crate) const fn attempted(action: Action, resource: ResourceKind, permission: Permission) -> Attempted {
    Attempted { action, resource, guard: ResourceType::OrganisationMember, permission }
}

fn owners_only() -> Error {
    Error::new(Code::Forbidden, "Only owners of the organisation may do this; ask one of them.")
}

fn no_such_user() -> Error {
    Error::new(Code::ObjectNotFound, "There is no such user in this organisation; check their identity.")
}

impl Engine {
    /// The membership of the user of this identity.
    async fn member_of(&self, organisation: OrganisationId, user: &str) -> Result<OrganisationMember, Error> {
        let user = user.parse::<UserId>().map_err(|_| no_such_user())?;
        self.member(organisation, user).await?.ok_or_else(no_such_user)
    }

    /// Checks that an owner calls. A refusal is recorded.
    async fn check_owner(&self, permit: &Permit<'_>) -> Result<(), Error> {
        let access = &permit.session.access;
        if access.is_owner() || access.is_given() {
            return Ok(());
        }
        match self.latest_access(permit.session).await {
            Ok((_, access)) if access.is_owner() => Ok(()),
            Ok(_) => permit.told(Err(owners_only())).await,
            Err(error) => permit.told(Err(error)).await,
        }
    }
}
