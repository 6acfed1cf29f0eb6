use super::attempted;
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::Permit;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{Named, Role};
use strongroom_domain::iam::Permission;
use strongroom_domain::id::RoleId;
use strongroom_domain::metadata::{Metadata, check_name};
use strongroom_domain::unit::Change;

/// Creates a role, without rules.
pub struct CreateRole<'a>(Permit<'a>);

/// A role to be made.
#[derive(Clone, Debug)]
pub struct NewRole {
    /// Its name: 1 to 255 characters, none of them a control character; others may have the same. The slug is made of it.
    pub name: String,
    /// Description, labels and annotations.
    pub metadata: Metadata,
}

impl Engine {
    /// Checks that the caller may create roles.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn create_role<'a>(&'a self, session: &'a OrganisationSession) -> Result<CreateRole<'a>, Error> {
        self.may::<Role>(session, attempted(Action::IamRoleCreate, Permission::Create), "").await.map(CreateRole)
    }
}

impl CreateRole<'_> {
    /// Creates it.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`](crate::Code::InvalidRequest) for a bad name, and those of the store.
    pub async fn run(self, new: NewRole) -> Result<Role, Error> {
        self.0.engine.amend(self.0.session, &Creation { permit: &self.0, new }).await
    }
}

struct Creation<'a> {
    permit: &'a Permit<'a>,
    new: NewRole,
}

#[async_trait]
impl DirectoryChange for Creation<'_> {
    type Answer = Role;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.new.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<Role>, Error> {
        let attempted = self.permit.attempted;
        let rule = scene.permit::<Role>(attempted, None)?;
        check_name(&self.new.name)?;
        let slug = scene.free_slug::<Role>(&self.new.name).await?;
        let role = Role {
            id: RoleId::new(scene.new_id()),
            organisation: scene.organisation.id,
            named: Named::new(self.new.name.clone(), slug, self.new.metadata.clone(), scene.at),
            read_only: false,
            rules: Vec::new(),
        };
        Ok(Amended {
            changes: vec![Change::PutObject(Box::new(role.clone().into()))],
            resource: attempted.object(role.id.to_string(), role.id.uuid()),
            access: None,
            rule: Some(rule),
            status: 201,
            answer: role,
        })
    }
}
