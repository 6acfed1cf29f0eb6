//! What callers ask about themselves. It needs no organisation, and no rule allows or forbids it.

mod enter;
mod get;
mod memberships;

pub use enter::IdentitySession;
pub use get::Me;
pub use memberships::{OrganisationMembership, Who};
