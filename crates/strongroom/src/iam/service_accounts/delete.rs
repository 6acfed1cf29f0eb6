use super::attempted;
use crate::directory::{Amended, DirectoryChange, Kind, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::Permit;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{AccessCredential, Binding, FederatedIdentity, ObjectKind, ServiceAccount};
use strongroom_domain::iam::Permission;
use strongroom_domain::port::ObjectSelector;
use strongroom_domain::unit::Change;

/// Deletes a service account, with its credentials, federated identities and bindings.
pub struct DeleteServiceAccount<'a>(Permit<'a>);

impl Engine {
    /// Checks that the caller may delete this service account.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn delete_service_account<'a>(
        &'a self,
        session: &'a OrganisationSession,
        name: &str,
    ) -> Result<DeleteServiceAccount<'a>, Error> {
        let attempted = attempted(Action::IamServiceAccountDelete, Permission::Delete);
        self.may::<ServiceAccount>(session, attempted, name).await.map(DeleteServiceAccount)
    }
}

impl DeleteServiceAccount<'_> {
    /// Deletes it. Its credentials and tokens open nothing any more.
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

/// Removes all of these objects.
pub(crate) fn removal<T: Kind>(objects: Vec<T>) -> impl Iterator<Item = Change> {
    objects.into_iter().map(|object| {
        let object: strongroom_domain::directory::DirectoryObject = object.into();
        Change::DeleteObject { kind: T::KIND, id: object.id() }
    })
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
        let (account, rule) = scene.permitted::<ServiceAccount>(self.permit).await?;
        let (organisation, id) = (scene.organisation.id, account.id.uuid());
        let about = || ObjectSelector::About(vec![id]);
        let mut changes = vec![Change::DeleteObject { kind: ObjectKind::ServiceAccount, id }];
        changes.extend(removal(scene.engine.parts_of::<AccessCredential>(organisation, id).await?));
        changes.extend(removal(scene.engine.objects::<FederatedIdentity>(Some(organisation), about()).await?));
        changes.extend(removal(scene.engine.objects::<Binding>(Some(organisation), about()).await?));
        Ok(Amended {
            changes,
            resource: self.permit.attempted.object(account.id.to_string(), id),
            access: None,
            rule: Some(rule),
            status: 204,
            answer: (),
        })
    }
}
