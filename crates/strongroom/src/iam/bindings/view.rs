use crate::engine::Engine;
use crate::error::Error;
use strongroom_domain::directory::{Binding, BoundTo, Role, ServiceAccount, Team, User};
use strongroom_domain::id::OrganisationId;

/// A binding as callers see it.
#[derive(Clone, Debug)]
pub struct BindingView {
    /// The binding.
    pub binding: Binding,
    /// The role.
    pub role: Role,
    /// To whom; `None` when they are gone by now.
    pub to: Option<BoundView>,
}

/// To whom a role is bound.
#[derive(Clone, Debug)]
pub enum BoundView {
    /// To one user.
    User(User),
    /// To all members of a team.
    Team(Team),
    /// To a service account.
    ServiceAccount(ServiceAccount),
}

impl Engine {
    /// Whom a binding names, if they are there.
    pub(crate) async fn bound_view(
        &self,
        organisation: OrganisationId,
        to: BoundTo,
    ) -> Result<Option<BoundView>, Error> {
        let organisation = Some(organisation);
        Ok(match to {
            BoundTo::User(id) => self.object_by_id(None, id.uuid()).await?.map(BoundView::User),
            BoundTo::Team(id) => self.object_by_id(organisation, id.uuid()).await?.map(BoundView::Team),
            BoundTo::ServiceAccount(id) => {
                self.object_by_id(organisation, id.uuid()).await?.map(BoundView::ServiceAccount)
            }
        })
    }
}
