use crate::Call;
use std::collections::BTreeMap;

/// Which objects of a list are wanted: those of which all that is given holds, exactly. What an object doesn't have isn't looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The identity.
    pub identity: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The slug.
    pub slug: Option<String>,
    /// The status.
    pub status: Option<String>,
    /// Labels and their values.
    pub labels: BTreeMap<String, String>,
}

impl Filter {
    /// All objects.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Those of this name.
    #[must_use]
    pub fn name(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }

    /// Those of this slug.
    #[must_use]
    pub fn slug(slug: impl Into<String>) -> Self {
        Self { slug: Some(slug.into()), ..Self::default() }
    }

    pub(crate) fn on(&self, call: Call) -> Call {
        let call = call
            .query_some("identity", self.identity.as_deref())
            .query_some("name", self.name.as_deref())
            .query_some("slug", self.slug.as_deref())
            .query_some("status", self.status.as_deref());
        labels(call, &self.labels).list()
    }
}

/// Only what has these labels.
pub(crate) fn labels(call: Call, labels: &BTreeMap<String, String>) -> Call {
    labels.iter().fold(call, |call, (name, value)| call.query(&format!("matchLabels[{name}]"), value))
}
