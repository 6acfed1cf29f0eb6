use crate::metadata::Metadata;
use crate::time::Timestamp;

/// What objects with a name of their own have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name; others may have the same.
    pub name: String,
    /// The slug, unique among the objects of its kind in the organisation.
    pub slug: String,
    /// Description, labels and annotations.
    pub metadata: Metadata,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed; `None` until then.
    pub updated_at: Option<Timestamp>,
    /// Counts its changes, from 1.
    pub object_version: u64,
}

impl Named {
    /// Of a new object.
    #[must_use]
    pub const fn new(name: String, slug: String, metadata: Metadata, at: Timestamp) -> Self {
        Self { name, slug, metadata, created_at: at, updated_at: None, object_version: 1 }
    }

    /// After a change.
    pub const fn touch(&mut self, at: Timestamp) {
        self.updated_at = Some(at);
        self.object_version = self.object_version.saturating_add(1);
    }
}
