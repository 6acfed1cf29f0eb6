use super::attempted;
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::Permit;
use crate::iam::granted::by_provider;
use crate::iam::service_accounts::removal;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{FederatedIdentity, IdentityProvider, ObjectKind};
use strongroom_domain::iam::Permission;
use strongroom_domain::unit::Change;

/// Deletes a provider, with its federated identities.
pub struct DeleteIdentityProvider<'a>(Permit<'a>);

impl Engine {
    /// Checks that the caller may delete this provider.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn delete_identity_provider<'a>(
        &'a self,
        session: &'a OrganisationSession,
        name: &str,
    ) -> Result<DeleteIdentityProvider<'a>, Error> {
        let attempted = attempted(Action::IamIdentityProviderDelete, Permission::Delete);
        self.may::<IdentityProvider>(session, attempted, name).await.map(DeleteIdentityProvider)
    }
}

impl DeleteIdentityProvider<'_> {
    /// Deletes it. Tokens that were given in exchange for its own open nothing any more.
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
        let (provider, rule) = scene.permitted::<IdentityProvider>(self.permit).await?;
        let id = provider.id.uuid();
        let mut changes = vec![Change::DeleteObject { kind: ObjectKind::IdentityProvider, id }];
        changes.extend(removal(scene.engine.parts_of::<FederatedIdentity>(scene.organisation.id, id).await?));
        Ok(Amended {
            changes,
            resource: self.permit.attempted.object(provider.id.to_string(), id),
            access: Some(by_provider(&provider, None)),
            rule: Some(rule),
            status: 204,
            answer: (),
        })
    }
}
