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
    /// The project that it stands below, for people to find their way; it gives nothing on.
    pub parent: Option<ProjectId>,
}
