//! Objects of identity and access management.

mod binding;
mod credential;
mod explain;
mod federation;
mod me;
mod member;
mod named;
mod personal_token;
mod project;
mod role;
mod service_account;
mod team;
mod user;

pub(crate) use binding::{binding, bound_to, identity, user};
pub(crate) use credential::{expiry, scopes};
pub(crate) use explain::{explain, explanation};
pub(crate) use federation::{
    audience_match, conditions, federated_identity, identity_provider, identity_status, jwks, provider_status, subject,
};
pub(crate) use me::{me, membership, organisation};
pub(crate) use member::{member, member_role, new_member};
pub(crate) use named::{named, named_patch};
pub(crate) use personal_token::{issued_personal_token, new_personal_token, personal_token};
pub(crate) use project::{new_project, project, project_update};
pub(crate) use role::{role, rule};
pub(crate) use service_account::{access_credential, created_access_credential, service_account, shown};
pub(crate) use team::{team, team_member, team_role};
pub(crate) use user::known_user;
