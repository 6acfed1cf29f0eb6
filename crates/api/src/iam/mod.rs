//! Objects of identity and access management.

mod binding;
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

pub use binding::{AppUser, Binding, NewBinding};
pub use explain::{BoundRole, DeniedCall, Explain, ExplainedRule, Explanation, IdentityAndName, NearMiss, NeededRule};
pub use federation::{
    FederatedIdentity, IdentityProvider, NewFederatedIdentity, NewIdentityProvider, UpdateFederatedIdentity,
    UpdateIdentityProvider,
};
pub use me::{Me, MyOrganisation, OrganisationMembership};
pub use member::{NewOrganisationMember, OrganisationMember, UpdateOrganisationMember};
pub use named::{NamedFields, NewNamed, UpdateNamed};
pub use personal_token::{IssuedPersonalAccessToken, NewPersonalAccessToken, PersonalAccessToken};
pub use project::{NewProject, ParentProject, Project};
pub use role::{NewRule, Role, Rule};
pub use service_account::{
    AccessCredential, CreatedAccessCredential, NewAccessCredential, RoleBinding, ServiceAccount,
};
pub use team::{NewTeamMember, Team, TeamMember};
pub use user::{NewUser, User};
