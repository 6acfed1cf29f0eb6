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
    /// Its name: 1 to 255 characters, none of them a control character. Others may have the same.
    pub name: String,
    /// Its slug: 1 to 63 of `a` to `z`, `0` to `9` and `-`; unique in the installation, and never changed.
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
    /// Its name: 1 to 255 characters, none of them a control character. Others may have the same.
    pub name: String,
    /// Its slug: 1 to 63 of `a` to `z`, `0` to `9` and `-`; unique in the installation, and never changed.
    pub slug: String,
    /// Its description: at most 1,024 characters; empty when there is none.
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
