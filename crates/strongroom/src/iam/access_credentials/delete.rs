use super::attempted;
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::Permit;
use crate::iam::granted::by_credential;
use crate::iam::permit::no_such;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{AccessCredential, ObjectKind, ServiceAccount};
use strongroom_domain::unit::Change;

/// Takes an access credential back.
pub struct DeleteAccessCredential<'a> {
    permit: Permit<'a>,
    credential: String,
}

impl Engine {
    /// Checks that the caller may take back credentials of this service account.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn delete_access_credential<'a>(
        &'a self,
        session: &'a OrganisationSession,
        account: &str,
        credential: &str,
    ) -> Result<DeleteAccessCredential<'a>, Error> {
        let attempted = attempted(Action::IamAccessCredentialDelete);
        let permit = self.may::<ServiceAccount>(session, attempted, account).await?;
        Ok(DeleteAccessCredential { permit, credential: credential.to_owned() })
    }
}

impl DeleteAccessCredential<'_> {
    /// Takes it back. It opens nothing any more, nor do tokens that it was exchanged for.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`](crate::Code::ObjectNotFound) for an unknown service account or credential, and those of the store.
    pub async fn run(self) -> Result<(), Error> {
        self.permit.engine.amend(self.permit.session, &self).await
    }
}

#[async_trait]
impl DirectoryChange for DeleteAccessCredential<'_> {
    type Answer = ();

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.credential)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<()>, Error> {
        let (account, rule) = scene.permitted::<ServiceAccount>(&self.permit).await?;
        let found = scene.engine.object_named::<AccessCredential>(scene.organisation.id, &self.credential).await?;
        let credential = found.filter(|it| it.service_account == account.id).ok_or_else(no_such::<AccessCredential>)?;
        Ok(Amended {
            changes: vec![Change::DeleteObject { kind: ObjectKind::AccessCredential, id: credential.id.uuid() }],
            resource: self.permit.attempted.object(credential.id.to_string(), credential.id.uuid()),
            access: Some(by_credential(&credential)),
            rule: Some(rule),
            status: 204,
            answer: (),
        })
    }
}
