use super::attempted;
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::iam::Permit;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{Binding, ObjectKind, Role};
use strongroom_domain::iam::Permission;
use strongroom_domain::unit::Change;

/// Deletes a role, with its rules and bindings.
pub struct DeleteRole<'a>(Permit<'a>);

impl Engine {
    /// Checks that the caller may delete this role.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn delete_role<'a>(
        &'a self,
        session: &'a OrganisationSession,
        name: &str,
    ) -> Result<DeleteRole<'a>, Error> {
        self.may::<Role>(session, attempted(Action::IamRoleDelete, Permission::Delete), name).await.map(DeleteRole)
    }
}

impl DeleteRole<'_> {
    /// Deletes it.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`], [`Code::ReadOnly`] for a built-in role, and those of the store.
    pub async fn run(self) -> Result<(), Error> {
        self.0.engine.amend(self.0.session, &Deletion { permit: &self.0 }).await
    }
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
        let (role, rule) = scene.permitted::<Role>(self.permit).await?;
        changeable(&role)?;
        let bindings = scene.engine.parts_of::<Binding>(scene.organisation.id, role.id.uuid()).await?;
        let mut changes = vec![Change::DeleteObject { kind: ObjectKind::Role, id: role.id.uuid() }];
        changes.extend(
            bindings.iter().map(|binding| Change::DeleteObject { kind: ObjectKind::Binding, id: binding.id.uuid() }),
        );
        Ok(Amended {
            changes,
            resource: self.permit.attempted.object(role.id.to_string(), role.id.uuid()),
            access: None,
            rule: Some(rule),
            status: 204,
            answer: (),
        })
    }
}

/// Refuses to change what came with the organisation.
pub(crate) fn changeable(role: &Role) -> Result<(), Error> {
    if role.read_only {
        return Err(Error::new(
            Code::ReadOnly,
            format!("The role `{}` is built in and cannot be changed; make one of your own.", role.named.name),
        ));
    }
    Ok(())
}
