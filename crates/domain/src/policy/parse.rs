//! From a document to compiled entries: which shape it has, and how many entries.

use super::evaluate::{Effect, Entry};
use super::fields::Fields;
use super::{MAX_ENTRIES, conditions, statements};
use crate::document::Document;

/// The name of the policy in messages and in bodies of requests.
const ROOT: &str = "accessPolicy";

/// Why a document isn't a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{at}`: {reason}")]
pub struct PolicyError {
    /// The place, such as `accessPolicy.conditions[2].cidrs[0]`.
    pub at: String,
    /// What is wrong there and what to do.
    pub reason: String,
}

impl PolicyError {
    pub(super) fn new(at: &str, reason: impl Into<String>) -> Self {
        Self { at: at.to_owned(), reason: reason.into() }
    }
}

pub(super) fn entries(document: &Document) -> Result<Vec<Entry>, PolicyError> {
    if *document == Document::Null {
        return Ok(Vec::new());
    }
    let fields = Fields::open(ROOT, document, &["conditions", "statements", "allowed", "denied"])?;
    let listed = fields.list("conditions")?;
    let stated = fields.list("statements")?;
    let allowed = fields.list("allowed")?;
    let denied = fields.list("denied")?;

    let shapes = [!listed.is_empty(), !stated.is_empty(), !allowed.is_empty() || !denied.is_empty()];
    if shapes.into_iter().filter(|used| *used).count() > 1 {
        let reason = "has more than one shape; use either `conditions`, or `statements`, or `allowed` and `denied`";
        return Err(PolicyError::new(ROOT, reason));
    }
    let count = listed.len() + stated.len() + allowed.len() + denied.len();
    if count > MAX_ENTRIES {
        return Err(PolicyError::new(ROOT, format!("has {count} entries; at most {MAX_ENTRIES} are allowed")));
    }

    let listed = listed.iter().map(|(place, item)| conditions::flat(place, item));
    let stated = stated.iter().map(|(place, item)| statements::statement(place, item));
    let allowed = allowed.iter().map(|(place, item)| conditions::nested(place, item, Effect::Allow));
    let denied = denied.iter().map(|(place, item)| conditions::nested(place, item, Effect::Deny));
    listed.chain(stated).chain(allowed).chain(denied).collect()
}

/// The place of an entry within the policy: `conditions[0]`.
pub(super) fn within_policy(place: &str) -> String {
    place.strip_prefix(ROOT).and_then(|rest| rest.strip_prefix('.')).unwrap_or(place).to_owned()
}
