use super::attempted;
use crate::engine::Engine;
use crate::error::Error;
use crate::session::OrganisationSession;
use strongroom_domain::audit::Action;
use strongroom_domain::directory::{AccessCredential, ServiceAccount};

impl Engine {
    /// The access credentials of the service account of this identity or slug, oldest first.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), and those of the store.
    pub async fn list_access_credentials(
        &self,
        session: &OrganisationSession,
        account: &str,
    ) -> Result<Vec<AccessCredential>, Error> {
        let permit = self.may::<ServiceAccount>(session, attempted(Action::IamAccessCredentialList), account).await?;
        let read = async {
            let account: ServiceAccount = permit.find().await?;
            self.parts_of(session.organisation.id, account.id.uuid()).await
        };
        permit.told(read.await).await
    }
}
