use crate::metadata::Metadata;
use crate::time::Timestamp;

/// What objects with a name of their own have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name, for people: 1 to 255 characters, not only spaces, none of them a control character
    /// ([`check_name`](crate::metadata::check_name)). Others may have the same.
    pub name: String,
    /// The slug, for paths and rules: made of the name when the object is made ([`slug_of`](crate::metadata::slug_of): 1 to 63 of `a` to
    /// `z`, `0` to `9` and `-`), and never changed, whatever becomes of the name. That of a built-in role is its name as it is. Unique
    /// among the objects of its kind in the organisation, except those of identity providers, which are told apart by their issuer.
    pub slug: String,
    /// Description, labels and annotations.
    pub metadata: Metadata,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed; `None` until then.
    pub updated_at: Option<Timestamp>,
    /// Counts its changes, as callers see it: 1 when it is new, one more with each [`touch`](Self::touch).
    pub object_version: u64,
}

impl Named {
    /// Of a new object, made at `at`: version 1, never changed. Checks nothing: name and slug are the caller's to check.
    #[must_use]
    pub const fn new(name: String, slug: String, metadata: Metadata, at: Timestamp) -> Self {
        Self { name, slug, metadata, created_at: at, updated_at: None, object_version: 1 }
    }

    /// Notes a change at `at`: sets `updated_at` and raises `object_version` by one.
    pub const fn touch(&mut self, at: Timestamp) {
        self.updated_at = Some(at);
        self.object_version = self.object_version.saturating_add(1);
    }
}
