use super::{ServiceAccountView, attempted};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::Permit;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{Named, ServiceAccount};
use strongroom_domain::iam::Permission;
use strongroom_domain::id::ServiceAccountId;
use strongroom_domain::metadata::{Metadata, check_name};
use strongroom_domain::unit::Change;

/// Creates a service account, to which nothing is bound yet.
pub struct CreateServiceAccount<'a>(Permit<'a>);

/// A service account to be made.
#[derive(Clone, Debug)]
pub struct NewServiceAccount {
    /// Its name: 1 to 255 characters, none of them a control character; others may have the same. The slug is made of it.
    pub name: String,
    /// Description, labels and annotations.
    pub metadata: Metadata,
}

impl Engine {
    /// Checks that the caller may create service accounts.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn create_service_account<'a>(
        &'a self,
        session: &'a OrganisationSession,
    ) -> Result<CreateServiceAccount<'a>, Error> {
        let attempted = attempted(Action::IamServiceAccountCreate, Permission::Create);
        self.may::<ServiceAccount>(session, attempted, "").await.map(CreateServiceAccount)
    }
}

impl CreateServiceAccount<'_> {
    /// Creates it.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`](crate::Code::InvalidRequest) for a bad name, and those of the store.
    pub async fn run(self, new: NewServiceAccount) -> Result<ServiceAccountView, Error> {
        self.0.engine.amend(self.0.session, &Creation { permit: &self.0, new }).await
    }
}

struct Creation<'a> {
    permit: &'a Permit<'a>,
    new: NewServiceAccount,
}

#[async_trait]
impl DirectoryChange for Creation<'_> {
    type Answer = ServiceAccountView;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.new.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<ServiceAccountView>, Error> {
        let attempted = self.permit.attempted;
        let rule = scene.permit::<ServiceAccount>(attempted, None)?;
        check_name(&self.new.name)?;
        let slug = scene.free_slug::<ServiceAccount>(&self.new.name).await?;
        let account = ServiceAccount {
            id: ServiceAccountId::new(scene.new_id()),
            organisation: scene.organisation.id,
            named: Named::new(self.new.name.clone(), slug, self.new.metadata.clone(), scene.at),
            created_by: Some(scene.session.caller().principal),
        };
        Ok(Amended {
            changes: vec![Change::PutObject(Box::new(account.clone().into()))],
            resource: attempted.object(account.id.to_string(), account.id.uuid()),
            access: None,
            rule: Some(rule),
            status: 201,
            answer: scene.engine.service_account_view(account).await?,
        })
    }
}
