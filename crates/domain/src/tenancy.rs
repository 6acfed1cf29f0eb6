//! Organisations, their gates, and regions.

use crate::id::{OrganisationId, RegionId};
use crate::metadata::Metadata;
use crate::time::Timestamp;
use crate::unit::Revision;

/// Which services an organisation may use; all on unless the operator says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gates {
    /// The secrets manager; needs `kms` too.
    pub secrets: bool,
    /// The key management service.
    pub kms: bool,
    /// Projects.
    pub projects: bool,
}

impl Default for Gates {
    fn default() -> Self {
        Self { secrets: true, kms: true, projects: true }
    }
}

/// A tenant: whose secrets and keys these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// The organisation.
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
    /// Its slug, unique.
    pub slug: String,
    /// Description, labels and annotations.
    pub metadata: Metadata,
    /// What it may use.
    pub gates: Gates,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed itself; `None` until then.
    pub updated_at: Option<Timestamp>,
    /// Counts its own changes, from 1.
    pub object_version: u64,
    /// Counts its changes and those of all objects of its [directory](crate::directory).
    pub revision: Revision,
}

impl Organisation {
    /// A new organisation, with every gate open.
    #[must_use]
    pub fn new(id: OrganisationId, name: String, slug: String, at: Timestamp) -> Self {
        Self {
            id,
            name,
            slug,
            metadata: Metadata::default(),
            gates: Gates::default(),
            created_at: at,
            updated_at: None,
            object_version: 1,
            revision: Revision::FIRST,
        }
    }
}

/// A region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The region.
    pub id: RegionId,
    /// Its name.
    pub name: String,
    /// Its slug, unique.
    pub slug: String,
    /// Its description; empty when there is none.
    pub description: String,
    /// Whether its KMS may be used.
    pub kms_enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Counts its changes, as callers see it; 1 when it is new.
    pub object_version: u64,
}
