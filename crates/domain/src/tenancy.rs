//! Organisations, their gates, and regions.

use crate::id::{OrganisationId, RegionId};
use crate::time::Timestamp;

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
    /// What it may use.
    pub gates: Gates,
    /// When it was made.
    pub created_at: Timestamp,
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
}
