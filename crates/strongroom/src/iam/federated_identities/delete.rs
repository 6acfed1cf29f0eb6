use super::attempted;
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::Permit;
use crate::iam::granted::by_federation;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{FederatedIdentity, ObjectKind};
use strongroom_domain::iam::Permission;
use strongroom_domain::unit::Change;

/// Deletes a federated identity.
pub struct DeleteFederatedIdentity<'a>(Permit<'a>);

impl Engine {
    /// Checks that the caller may delete this federated identity.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn delete_federated_identity<'a>(
        &'a self,
        session: &'a OrganisationSession,
        name: &str,
    ) -> Result<DeleteFederatedIdentity<'a>, Error> {
        let attempted = attempted(Action::IamFederatedIdentityDelete, Permission::Delete);
        self.may::<FederatedIdentity>(session, attempted, name).await.map(DeleteFederatedIdentity)
    }
}

impl DeleteFederatedIdentity<'_> {
    /// Deletes it. Tokens that it gave open nothing any more.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), and those of the store.
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
        let (identity, rule) = scene.permitted::<FederatedIdentity>(self.permit).await?;
        Ok(Amended {
            changes: vec![Change::DeleteObject { kind: ObjectKind::FederatedIdentity, id: identity.id.uuid() }],
            resource: self.permit.attempted.object(identity.id.to_string(), identity.id.uuid()),
            access: Some(by_federation(&identity, None)),
            rule: Some(rule),
            status: 204,
            answer: (),
        })
    }
}
