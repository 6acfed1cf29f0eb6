//! Use cases of identity and access management: one file each.
//!
//! Reading takes one step. Changing takes two: the engine checks that the caller may, before a body is read,
//! and the use case then decides anew inside `Engine::amend`, at the revision at which its change is applied.

pub mod access_credentials;
pub mod bindings;
pub mod explain;
pub mod federated_identities;
pub(crate) mod granted;
pub mod identity_providers;
pub mod me;
pub mod memberships;
mod minted;
mod named_patch;
pub(crate) mod permit;
pub mod personal_tokens;
pub mod projects;
pub mod roles;
pub(crate) mod room;
pub mod service_accounts;
pub mod team_members;
pub mod teams;
pub mod users;

pub use named_patch::NamedPatch;
pub use permit::{Attempted, Permit};
