//! Projects.

mod contents;
mod create;
mod delete;
mod get;
mod list;
mod tree;
mod update;
mod view;

pub use create::{CreateProject, NewProject};
pub use delete::DeleteProject;
pub use update::{Parent, ProjectUpdate, UpdateProject};
pub use view::ProjectView;

use super::Attempted;
use crate::audit::Place;
use crate::directory::Scene;
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::gates::Gates;
use crate::session::{OrganisationSession, Target};
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::directory::Project;
use strongroom_domain::iam::{Permission, ResourceType};
use strongroom_domain::id::ProjectId;
use strongroom_domain::port::ObjectSelector;

/// The gate that all of them stand behind.
pub(crate) const GATES: Gates = Gates { service: None, project: true };

/// What is tried on projects.
pub(crate) const fn attempted(action: Action, permission: Permission) -> Attempted {
    Attempted { action, resource: ResourceKind::Project, guard: ResourceType::Project, permission }
}

impl Engine {
    /// Settles that the organisation may use projects, for a call about projects themselves. A refusal is recorded.
    ///
    /// # Errors
    /// [`Code::FeatureDisabled`].
    pub async fn enter_projects(
        &self,
        session: OrganisationSession,
        target: Target<'_>,
    ) -> Result<OrganisationSession, Error> {
        let (session, passed) = self.pass_gates(session, GATES).await;
        match passed {
            Ok(()) => Ok(session),
            Err(error) => Err(self.refused(&session.recorder(self, Place::default()), target, error).await),
        }
    }
}

impl Scene<'_> {
    /// The project that a body names as a parent, when `moved`, or a new one, may stand below it.
    async fn parent(&self, moved: Option<ProjectId>, parent: ProjectId) -> Result<Project, Error> {
        let all: Vec<Project> = self.engine.objects(Some(self.organisation.id), ObjectSelector::All).await?;
        let Some(found) = all.iter().find(|project| project.id == parent) else {
            return Err(Error::new(
                Code::ObjectNotFound,
                "`parentProjectIdentity` names no project of this organisation; it wants an identity, not a name or slug.",
            ));
        };
        tree::check_place(&all, moved, parent)?;
        Ok(found.clone())
    }
}
