//! Who may do what: rules, and the decisions that follow from all rules of a caller together.
//!
//! A rule only allows; there is no deny. Each decision names the rule that allowed, for the audit log and explanations.

mod effective;
mod escalation;
mod explain;
mod grants;
mod index;
mod permission;
mod rule;

pub use effective::{BoundRole, Effective, HeldRules};
pub use escalation::{Lack, Missing, check_escalation};
pub use explain::{Denial, Difference, Explanation, MAX_NEAR_MISSES, NearMiss, Question, Target, explain};
pub use grants::Grants;
pub use permission::{Permission, ResourceType};
pub use rule::Rule;
