use crate::engine::Engine;
use crate::error::Error;
use strongroom_domain::directory::Project;

/// A project as callers see it.
#[derive(Clone, Debug)]
pub struct ProjectView {
    /// The project.
    pub project: Project,
    /// The one that it stands below.
    pub parent: Option<Project>,
}

impl Engine {
    /// A project with the one that it stands below.
    pub(super) async fn project_view(&self, project: Project) -> Result<ProjectView, Error> {
        let parent = match project.parent {
            Some(parent) => self.object_by_id(Some(project.organisation), parent.uuid()).await?,
            None => None,
        };
        Ok(ProjectView { project, parent })
    }
}
