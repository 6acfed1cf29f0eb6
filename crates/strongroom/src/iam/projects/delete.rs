use super::{GATES, attempted};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::iam::Permit;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{Binding, ObjectKind, Project};
use strongroom_domain::iam::Permission;
use strongroom_domain::id::is_named;
use strongroom_domain::port::ObjectSelector;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::Change;

/// Deletes a project that holds nothing, and takes it out of the bindings that name it.
pub struct DeleteProject<'a>(Permit<'a>);

impl Engine {
    /// Checks that the caller may delete this project.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn delete_project<'a>(
        &'a self,
        session: &'a OrganisationSession,
        name: &str,
    ) -> Result<DeleteProject<'a>, Error> {
        self.may::<Project>(session, attempted(Action::IamProjectDelete, Permission::Delete), name)
            .await
            .map(DeleteProject)
    }
}

impl DeleteProject<'_> {
    /// Deletes it.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`], [`Code::InUse`] while it has projects below it, secrets, or keys, and those of the store.
    pub async fn run(self) -> Result<(), Error> {
        self.0.engine.amend(self.0.session, &Deletion { permit: &self.0 }).await
    }
}

/// What becomes of a binding that names the project: another one of its slug may be made, for which it wasn't meant. `None` when it
/// doesn't name it.
fn without(mut binding: Binding, project: &Project, at: Timestamp) -> Option<Change> {
    let named = binding.projects.len();
    binding.projects.retain(|name| !is_named(name, &project.id, &project.named.slug));
    if binding.projects.len() == named {
        return None;
    }
    // An empty list would mean everything.
    if binding.projects.is_empty() {
        return Some(Change::DeleteObject { kind: ObjectKind::Binding, id: binding.id.uuid() });
    }
    binding.named.touch(at);
    Some(Change::PutObject(Box::new(binding.into())))
}

struct Deletion<'a> {
    permit: &'a Permit<'a>,
}

#[async_trait]
impl DirectoryChange for Deletion<'_> {
    type Answer = ();

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.permit.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<()>, Error> {
        GATES.check(&scene.organisation)?;
        let (project, rule) = scene.permitted::<Project>(self.permit).await?;
        let organisation = scene.organisation.id;
        let below = scene.engine.parts_of::<Project>(organisation, project.id.uuid()).await?.len();
        let contents = scene.engine.contents_of(&project, below).await?;
        if let Some(contents) = contents {
            let message = format!("The project has {contents}; delete or move them first.");
            return Err(Error::new(Code::InUse, message));
        }
        let mut changes = vec![Change::DeleteObject { kind: ObjectKind::Project, id: project.id.uuid() }];
        let bindings: Vec<Binding> = scene.engine.objects(Some(organisation), ObjectSelector::All).await?;
        changes.extend(bindings.into_iter().filter_map(|binding| without(binding, &project, scene.at)));
        Ok(Amended {
            changes,
            resource: self.permit.attempted.object(project.id.to_string(), project.id.uuid()),
            access: None,
            rule: Some(rule),
            status: 204,
            answer: (),
        })
    }
}
