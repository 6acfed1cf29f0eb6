//! The filters of lists: `name`, `slug`, `identity`, `status`, `matchLabels[…]`, all exact. An empty one counts as missing.

use crate::query::Query;
use strongroom_domain::directory::Named;

/// What a list shall hold.
pub(crate) struct Filter<'a>(pub(crate) &'a Query);

impl Filter<'_> {
    /// Whether an object with a name is wanted.
    pub(crate) fn named(&self, identity: &str, named: &Named) -> bool {
        self.is("name", &named.name)
            && self.is("slug", &named.slug)
            && self.identity(identity)
            && named.metadata.matches_labels(&self.0.labels())
    }

    /// Whether an object of this identity is wanted.
    pub(crate) fn identity(&self, identity: &str) -> bool {
        self.is("identity", identity)
    }

    /// Whether an object is wanted that has this value for what the parameter asks.
    pub(crate) fn is(&self, parameter: &str, value: &str) -> bool {
        self.0.filled(parameter).is_none_or(|wanted| wanted == value)
    }
}
