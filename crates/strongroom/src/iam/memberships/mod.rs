//! Who is a member of an organisation, and as what.

mod create;
mod delete;
mod list;
mod update;
mod view;

pub use create::{AddMember, NewMember};
pub use delete::RemoveMember;
pub use update::UpdateMember;
pub use view::MemberView;

pub(crate) use list::readable;

use super::permit::Attempted;
use crate::directory::Scene;
use crate::error::{Code, Error};
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::directory::{MemberRole, OrganisationMember};
use strongroom_domain::iam::{Permission, ResourceType};
use strongroom_domain::port::ObjectSelector;

/// What is tried on memberships.
pub(crate) const fn attempted(action: Action, permission: Permission) -> Attempted {
    let guard = ResourceType::OrganisationMember;
    Attempted { action, resource: ResourceKind::OrganisationMember, guard, permission }
}

/// `userIdentity` names nobody here.
pub(crate) fn no_member() -> Error {
    Error::new(
        Code::ObjectNotFound,
        "`userIdentity` names no member of this organisation; it wants a user's identity, not a name.",
    )
}

/// `userIdentity` names nobody who may be added.
pub(crate) fn unknown_user() -> Error {
    Error::new(Code::ObjectNotFound, "`userIdentity` names no user; it wants a user's identity, not a name.")
}

pub(crate) fn is_member() -> Error {
    Error::new(Code::ObjectExists, "The user is a member already; change their role with PUT on the membership.")
}

impl Scene<'_> {
    /// Whether the caller holds everything here.
    pub(crate) fn is_by_owner(&self) -> bool {
        self.access.is_owner() || self.access.is_given()
    }

    /// Only owners make owners.
    fn check_may_make(&self, role: MemberRole) -> Result<(), Error> {
        if role == MemberRole::Member || self.is_by_owner() {
            return Ok(());
        }
        Err(Error::new(Code::Escalation, "Only owners make owners; ask one of them."))
    }

    /// Only owners take an owner from the organisation, and never the last.
    async fn check_may_lose(&self, member: &OrganisationMember) -> Result<(), Error> {
        if member.role != MemberRole::Owner {
            return Ok(());
        }
        let organisation = Some(self.organisation.id);
        let members = self.engine.objects::<OrganisationMember>(organisation, ObjectSelector::All).await?;
        if !members.iter().any(|other| other.role == MemberRole::Owner && other.id != member.id) {
            return Err(Error::new(
                Code::LastOwner,
                "This is the last owner of the organisation; make somebody else an owner first.",
            ));
        }
        if !self.is_by_owner() {
            return Err(Error::new(Code::Escalation, "Only owners demote or remove owners; ask one of them."));
        }
        Ok(())
    }
}
