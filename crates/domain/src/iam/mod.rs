//! Who may do what: rules, and the decisions that follow from all rules of a caller together.
//!
//! A rule only allows; there is no deny. Each decision names the rule that allowed, for the audit log and explanations.

mod grants;
mod permission;
mod rule;

pub use grants::Grants;
pub use permission::{Permission, ResourceType};
pub use rule::Rule;
