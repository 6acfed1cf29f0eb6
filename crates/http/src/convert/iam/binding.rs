use super::{named, role};
use crate::failure::Failure;
use strongroom::iam::bindings::{BindingView, BoundView};
use strongroom::{Code, Error};
use strongroom_api::{AppUser, Binding, NewBinding};
use strongroom_domain::directory::{BoundTo, User};

pub(crate) fn user(user: &User) -> AppUser {
    AppUser {
        subject: user.id.to_string(),
        name: user.name.clone(),
        email: user.email.clone(),
        created_at: user.created_at.to_rfc3339(),
    }
}

pub(crate) fn binding(view: &BindingView) -> Binding {
    let mut binding = Binding {
        named: named(view.binding.id, &view.binding.named),
        organisation_role: Some(role(&view.role)),
        user: None,
        team: None,
        service_account: None,
        scopes: view.binding.projects.clone(),
    };
    match &view.to {
        Some(BoundView::User(it)) => binding.user = Some(user(it)),
        Some(BoundView::Team(it)) => binding.team = Some(named(it.id, &it.named)),
        Some(BoundView::ServiceAccount(it)) => binding.service_account = Some(named(it.id, &it.named)),
        None => {}
    }
    binding
}

/// To whom a binding is to be made. What is null or empty isn't given.
pub(crate) fn bound_to(request: &NewBinding) -> Result<BoundTo, Failure> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (user, team) = (given(&request.user_identity), given(&request.team_identity));
    match (user, team, given(&request.service_account_identity)) {
        (Some(user), None, None) => Ok(BoundTo::User(identity("userIdentity", &user)?)),
        (None, Some(team), None) => Ok(BoundTo::Team(identity("teamIdentity", &team)?)),
        (None, None, Some(account)) => Ok(BoundTo::ServiceAccount(identity("serviceAccountIdentity", &account)?)),
        _ => Err(Failure::invalid(
            "Give exactly one of `userIdentity`, `teamIdentity` and `serviceAccountIdentity`: to whom the role is bound.",
        )),
    }
}

/// An identity in a body. What isn't one names nothing.
pub(crate) fn identity<T: core::str::FromStr>(field: &str, text: &str) -> Result<T, Failure> {
    text.parse().map_err(|_| {
        let message = format!("`{field}` names nothing here; it wants an identity, not a name or slug.");
        Error::new(Code::ObjectNotFound, message).into()
    })
}
