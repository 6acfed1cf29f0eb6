use crate::engine::Engine;
use crate::error::Error;
use std::collections::BTreeSet;
use strongroom_domain::directory::{Binding, BoundTo, Role, ServiceAccount, User};
use strongroom_domain::id::{OrganisationId, UserId};
use strongroom_domain::port::ObjectSelector;
use strongroom_domain::principal::Principal;
use uuid::Uuid;

/// A service account as callers see it.
#[derive(Clone, Debug)]
pub struct ServiceAccountView {
    /// The service account.
    pub account: ServiceAccount,
    /// The user who made it; `None` when that was no user, or one who is gone.
    pub created_by: Option<User>,
    /// The roles that are bound to it.
    pub bindings: Vec<(Binding, Role)>,
}

impl Engine {
    /// Service accounts as callers see them.
    pub(crate) async fn service_account_views(
        &self,
        organisation: OrganisationId,
        accounts: Vec<ServiceAccount>,
    ) -> Result<Vec<ServiceAccountView>, Error> {
        let about = accounts.iter().map(|account| account.id.uuid()).collect();
        let bindings: Vec<Binding> = self.objects(Some(organisation), ObjectSelector::About(about)).await?;
        let roles: BTreeSet<Uuid> = bindings.iter().map(|binding| binding.role.uuid()).collect();
        let roles: Vec<Role> =
            self.objects(Some(organisation), ObjectSelector::Ids(roles.into_iter().collect())).await?;
        let users = self.makers(accounts.iter().map(|account| account.created_by)).await?;
        let view = |account: ServiceAccount| {
            let of_it = bindings.iter().filter(|binding| binding.to == BoundTo::ServiceAccount(account.id));
            let with_role = |binding: &Binding| {
                let role = roles.iter().find(|role| role.id == binding.role)?;
                Some((binding.clone(), role.clone()))
            };
            let bindings = of_it.filter_map(with_role).collect();
            ServiceAccountView { created_by: maker(&users, account.created_by), bindings, account }
        };
        Ok(accounts.into_iter().map(view).collect())
    }

    /// One service account as callers see it.
    pub(crate) async fn service_account_view(&self, account: ServiceAccount) -> Result<ServiceAccountView, Error> {
        let organisation = account.organisation;
        let mut views = self.service_account_views(organisation, vec![account]).await?;
        views.pop().ok_or_else(super::super::permit::no_such::<ServiceAccount>)
    }

    /// The users among those who made something.
    pub(crate) async fn makers(&self, made_by: impl Iterator<Item = Option<Principal>>) -> Result<Vec<User>, Error> {
        let ids: BTreeSet<Uuid> = made_by.filter_map(user_of).map(UserId::uuid).collect();
        self.objects(None, ObjectSelector::Ids(ids.into_iter().collect())).await
    }
}

/// The one of the users who made something.
pub(crate) fn maker(users: &[User], made_by: Option<Principal>) -> Option<User> {
    let id = user_of(made_by)?;
    users.iter().find(|user| user.id == id).cloned()
}

const fn user_of(principal: Option<Principal>) -> Option<UserId> {
    match principal {
        Some(Principal::User(id)) => Some(id),
        Some(Principal::ServiceAccount(_) | Principal::Operator(_)) | None => None,
    }
}
