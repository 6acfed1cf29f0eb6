use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::Permit;
use crate::iam::granted::by_binding;
use crate::iam::permit::no_such;
use crate::iam::roles::attempted;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{Binding, ObjectKind, Role};
use strongroom_domain::iam::Permission;
use strongroom_domain::unit::Change;

/// Takes a role back.
pub struct DeleteBinding<'a> {
    permit: Permit<'a>,
    binding: String,
}

impl Engine {
    /// Checks that the caller may take this role back.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn delete_binding<'a>(
        &'a self,
        session: &'a OrganisationSession,
        role: &str,
        binding: &str,
    ) -> Result<DeleteBinding<'a>, Error> {
        let permit = self.may::<Role>(session, attempted(Action::IamBindingDelete, Permission::Update), role).await?;
        Ok(DeleteBinding { permit, binding: binding.to_owned() })
    }
}

impl DeleteBinding<'_> {
    /// Takes it back.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`](crate::Code::ObjectNotFound) for an unknown role or binding, and those of the store.
    pub async fn run(self) -> Result<(), Error> {
        self.permit.engine.amend(self.permit.session, &self).await
    }
}

#[async_trait]
impl DirectoryChange for DeleteBinding<'_> {
    type Answer = ();

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.permit.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<()>, Error> {
        let (role, allowed_by) = scene.permitted::<Role>(&self.permit).await?;
        let binding = scene.engine.object_named::<Binding>(scene.organisation.id, &self.binding).await?;
        let binding = binding.filter(|binding| binding.role == role.id).ok_or_else(no_such::<Binding>)?;
        Ok(Amended {
            changes: vec![Change::DeleteObject { kind: ObjectKind::Binding, id: binding.id.uuid() }],
            resource: self.permit.attempted.object(binding.id.to_string(), binding.id.uuid()),
            access: Some(by_binding(&binding)),
            rule: Some(allowed_by),
            status: 204,
            answer: (),
        })
    }
}
