use super::{ServiceAccountView, attempted};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::{NamedPatch, Permit};
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::ServiceAccount;
use strongroom_domain::iam::Permission;
use strongroom_domain::unit::Change;

/// Changes a service account's name, description, labels or annotations.
pub struct UpdateServiceAccount<'a>(Permit<'a>);

impl Engine {
    /// Checks that the caller may change this service account.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn update_service_account<'a>(
        &'a self,
        session: &'a OrganisationSession,
        name: &str,
    ) -> Result<UpdateServiceAccount<'a>, Error> {
        let attempted = attempted(Action::IamServiceAccountUpdate, Permission::Update);
        self.may::<ServiceAccount>(session, attempted, name).await.map(UpdateServiceAccount)
    }
}

impl UpdateServiceAccount<'_> {
    /// Changes it.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), [`Code::InvalidRequest`](crate::Code::InvalidRequest), and those of the
    /// store.
    pub async fn run(self, patch: NamedPatch) -> Result<ServiceAccountView, Error> {
        self.0.engine.amend(self.0.session, &Update { permit: &self.0, patch }).await
    }
}

struct Update<'a> {
    permit: &'a Permit<'a>,
    patch: NamedPatch,
}

#[async_trait]
impl DirectoryChange for Update<'_> {
    type Answer = ServiceAccountView;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.permit.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<ServiceAccountView>, Error> {
        self.patch.check()?;
        let (before, rule) = scene.permitted::<ServiceAccount>(self.permit).await?;
        let mut account = before.clone();
        self.patch.apply(&mut account.named)?;
        let mut changes = Vec::new();
        if account != before {
            account.named.touch(scene.at);
            changes.push(Change::PutObject(Box::new(account.clone().into())));
        }
        Ok(Amended {
            changes,
            resource: self.permit.attempted.object(account.id.to_string(), account.id.uuid()),
            access: None,
            rule: Some(rule),
            status: 200,
            answer: scene.engine.service_account_view(account).await?,
        })
    }
}
