use super::{GATES, ProjectView, attempted};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::iam::Permit;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{Named, Project};
use strongroom_domain::iam::Permission;
use strongroom_domain::id::ProjectId;
use strongroom_domain::metadata::{Metadata, check_name, slug_of};
use strongroom_domain::unit::Change;

/// Creates a project. It gives nobody anything.
pub struct CreateProject<'a>(Permit<'a>);

/// A project to be made.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// Its name: 1 to 255 characters, none of them a control character. The slug is made of it, and must be one that no other project of
    /// the organisation has.
    pub name: String,
    /// Description, labels and annotations.
    pub metadata: Metadata,
    /// The project that it shall stand below, at most 16 levels deep; `None` for the top.
    pub parent: Option<ProjectId>,
}

impl Engine {
    /// Checks that the caller may create projects.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn create_project<'a>(&'a self, session: &'a OrganisationSession) -> Result<CreateProject<'a>, Error> {
        self.may::<Project>(session, attempted(Action::IamProjectCreate, Permission::Create), "")
            .await
            .map(CreateProject)
    }
}

impl CreateProject<'_> {
    /// Creates it.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] for a bad name or too deep a place, [`Code::ObjectNotFound`] for an unknown parent,
    /// [`Code::ObjectExists`] when the slug is taken, and those of the store.
    pub async fn run(self, new: NewProject) -> Result<ProjectView, Error> {
        self.0.engine.amend(self.0.session, &Creation { permit: &self.0, new }).await
    }
}

struct Creation<'a> {
    permit: &'a Permit<'a>,
    new: NewProject,
}

#[async_trait]
impl DirectoryChange for Creation<'_> {
    type Answer = ProjectView;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.new.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<ProjectView>, Error> {
        GATES.check(&scene.organisation)?;
        let attempted = self.permit.attempted;
        let rule = scene.permit::<Project>(attempted, None)?;
        check_name(&self.new.name)?;
        // Bindings name projects by slug too, so no other one may come to stand for what they meant.
        let slug = slug_of(&self.new.name);
        if scene.engine.object_by_handle::<Project>(Some(scene.organisation.id), &slug).await?.is_some() {
            let message =
                format!("A project with the slug `{slug}` exists already; choose a name that gives another one.");
            return Err(Error::new(Code::ObjectExists, message));
        }
        let parent = match self.new.parent {
            Some(parent) => Some(scene.parent(None, parent).await?),
            None => None,
        };
        let project = Project {
            id: ProjectId::new(scene.new_id()),
            organisation: scene.organisation.id,
            named: Named::new(self.new.name.clone(), slug, self.new.metadata.clone(), scene.at),
            parent: self.new.parent,
        };
        Ok(Amended {
            changes: vec![Change::PutObject(Box::new(project.clone().into()))],
            resource: attempted.object(project.id.to_string(), project.id.uuid()),
            access: None,
            rule: Some(rule),
            status: 201,
            answer: ProjectView { project, parent },
        })
    }
}
