use super::{GATES, ProjectView, attempted};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::{NamedPatch, Permit};
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::Project;
use strongroom_domain::iam::Permission;
use strongroom_domain::id::ProjectId;
use strongroom_domain::unit::Change;

/// Changes a project.
pub struct UpdateProject<'a>(Permit<'a>);

/// What changes of a project. Its slug stays: bindings may name it.
#[derive(Clone, Debug, Default)]
pub struct ProjectUpdate {
    /// What it is called.
    pub named: NamedPatch,
    /// Where it shall stand.
    pub parent: Parent,
}

/// Where a project shall stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parent {
    /// Where it stands.
    #[default]
    Same,
    /// At the top.
    None,
    /// Below this one, at most 16 levels deep; neither the project itself nor one below it.
    Below(ProjectId),
}

impl Engine {
    /// Checks that the caller may change this project.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn update_project<'a>(
        &'a self,
        session: &'a OrganisationSession,
        name: &str,
    ) -> Result<UpdateProject<'a>, Error> {
        self.may::<Project>(session, attempted(Action::IamProjectUpdate, Permission::Update), name)
            .await
            .map(UpdateProject)
    }
}

impl UpdateProject<'_> {
    /// Changes it.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`](crate::Code::ObjectNotFound) for an unknown project or parent,
    /// [`Code::InvalidRequest`](crate::Code::InvalidRequest) for a bad name, or a parent that stands below the project, and those of
    /// the store.
    pub async fn run(self, update: ProjectUpdate) -> Result<ProjectView, Error> {
        self.0.engine.amend(self.0.session, &Updating { permit: &self.0, update }).await
    }
}

struct Updating<'a> {
    permit: &'a Permit<'a>,
    update: ProjectUpdate,
}

#[async_trait]
impl DirectoryChange for Updating<'_> {
    type Answer = ProjectView;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.permit.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<ProjectView>, Error> {
        GATES.check(&scene.organisation)?;
        self.update.named.check()?;
        let (mut project, rule) = scene.permitted::<Project>(self.permit).await?;
        let before = project.clone();
        let parent = match self.update.parent {
            Parent::Same => scene.engine.project_view(project.clone()).await?.parent,
            Parent::None => None,
            Parent::Below(parent) => Some(scene.parent(Some(project.id), parent).await?),
        };
        if self.update.parent != Parent::Same {
            project.parent = parent.as_ref().map(|parent| parent.id);
        }
        self.update.named.apply(&mut project.named)?;
        let mut changes = Vec::new();
        if project != before {
            project.named.touch(scene.at);
            changes.push(Change::PutObject(Box::new(project.clone().into())));
        }
        Ok(Amended {
            changes,
            resource: self.permit.attempted.object(project.id.to_string(), project.id.uuid()),
            access: None,
            rule: Some(rule),
            status: 200,
            answer: ProjectView { project, parent },
        })
    }
}
