//! Access policies: conditions on revealing and putting one secret, beside what rules allow.
//!
//! Three published shapes are accepted, kept as they came, and compiled to one list of entries with one evaluation:
//!
//! - `conditions`: a list of IP and time conditions, each with its effect;
//! - `allowed` and `denied`: the same conditions in two lists;
//! - `statements`: effects on actions for principals.
//!
//! An entry that denies and matches refuses. When there are entries that allow the operation, one of them must match.

mod conditions;
mod evaluate;
mod fields;
mod parse;
mod statements;
mod weight;

use crate::document::Document;
use evaluate::Entry;

pub use evaluate::{PolicyDecision, PolicyOperation, PolicyRequest, PolicySubject, PolicyTeam};
pub use parse::PolicyError;

/// The most entries of a policy, all its lists together.
pub const MAX_ENTRIES: usize = 64;
/// The most CIDR blocks, actions or principals of one entry.
pub const MAX_LIST: usize = 64;
/// The longest text in a policy, in bytes.
pub const MAX_TEXT: usize = 256;

/// The access policy of a secret: valid, compiled, and as it was sent.
///
/// Two policies are equal when they were sent alike, order and spelling included.
#[derive(Clone, Debug)]
pub struct AccessPolicy {
    document: Document,
    entries: Vec<Entry>,
}

impl AccessPolicy {
    /// Reads a policy. `None` when the document clears the policy: null, no members, or only empty lists.
    ///
    /// Nothing is ignored: what this version can't enforce is refused.
    ///
    /// # Errors
    /// Names the place and the remedy, when the document has members of more than one shape, unknown or doubled members,
    /// values that can't be enforced, or more entries, items or text than allowed.
    pub fn parse(document: Document) -> Result<Option<Self>, PolicyError> {
        let entries = parse::entries(&document)?;
        Ok((!entries.is_empty()).then_some(Self { document, entries }))
    }

    /// The policy exactly as it was given.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// About how many bytes of memory it takes, for bounding caches and queues.
    #[must_use]
    pub fn weight(&self) -> usize {
        weight::of(self)
    }

    /// Decides whether the operation may go on. The decision depends on nothing but the policy and the request.
    #[must_use]
    pub fn decide(&self, request: &PolicyRequest<'_>) -> PolicyDecision {
        evaluate::decide(&self.entries, request)
    }
}

impl PartialEq for AccessPolicy {
    fn eq(&self, other: &Self) -> bool {
        self.document == other.document
    }
}

impl Eq for AccessPolicy {}

#[cfg(test)]
mod tests;
