//! Whom an organisation knows, and what they may do there: users and their memberships, teams, service accounts and their
//! credentials, roles with rules, bindings, foreign identities, projects.
//!
//! All objects of one organisation are one aggregate under the organisation's [`Revision`](crate::unit::Revision), so that rules
//! about several of them ("the last owner stays", "nobody gives what they lack") hold whoever else changes something at the same
//! time, and so that a cache compares one number.

mod accepts;
mod builtin;
mod expiry;
mod federation;
mod named;
mod object;
mod people;
mod project;
mod role;
mod scopes;
mod service_account;

pub use accepts::ClaimsRefusal;
pub use builtin::{ORG_ADMIN, ORG_AUDITOR, built_in_roles};
pub use expiry::{Expiry, ExpiryError};
pub use federation::{
    AudienceMatch, FederatedIdentity, FederatedIdentityStatus, IdentityProvider, ProviderStatus, SubjectPattern,
    SubjectPatternError,
};
pub use named::Named;
pub use object::{DirectoryObject, ObjectKind};
pub use people::{Login, MemberRole, OrganisationMember, Team, TeamMember, TeamRole, User};
pub use project::Project;
pub use role::{Binding, BoundTo, Role};
pub use scopes::Scopes;
pub use service_account::{AccessCredential, ServiceAccount};
