use super::Named;
use crate::id::{OrganisationId, ProjectId};

/// A project: a scope of its own for secrets and keys inside an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The project.
    pub id: ProjectId,
    /// Whose.
    pub organisation: OrganisationId,
    /// What it is called.
    pub named: Named,
    /// The project that it stands below, for people to find their way; it gives nothing on. `None` at the top. At most 16 levels, and no
    /// circle.
    pub parent: Option<ProjectId>,
}
