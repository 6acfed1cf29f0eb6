//! Whose an object is, and where.

use crate::canonical::Encoder;
use crate::id::{OrganisationId, ProjectId, RegionId};

/// An organisation, one region and, optionally, one project. A path is unique within its scope; an object of another scope is
/// invisible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// The organisation.
    pub organisation: OrganisationId,
    /// The region.
    pub region: RegionId,
    /// The project; `None` for what belongs to the organisation itself.
    pub project: Option<ProjectId>,
}

impl Scope {
    /// Whether a secret of this scope may be bound to a key of `key`: a project's secret to a key of the same project or of the
    /// organisation, an organisation's secret to a key of the organisation only.
    #[must_use]
    pub fn may_use_key_of(&self, key: &Self) -> bool {
        self.organisation == key.organisation
            && self.region == key.region
            && (key.project.is_none() || key.project == self.project)
    }

    /// The scope of the organisation itself, in the same region.
    #[must_use]
    pub const fn without_project(self) -> Self {
        Self { project: None, ..self }
    }

    /// Adds the scope to canonical bytes.
    pub(crate) fn encode(&self, to: &mut Encoder) {
        to.id(self.organisation.uuid()).id(self.region.uuid());
        to.optional(self.project, |to, project| {
            to.id(project.uuid());
        });
    }
}
