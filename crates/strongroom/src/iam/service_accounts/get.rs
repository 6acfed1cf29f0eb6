use super::{ServiceAccountView, attempted};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::OrganisationSession;
use strongroom_domain::audit::Action;
use strongroom_domain::directory::ServiceAccount;
use strongroom_domain::iam::Permission;

impl Engine {
    /// The service account of this identity or slug, with its bindings.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), and those of the store.
    pub async fn get_service_account(
        &self,
        session: &OrganisationSession,
        name: &str,
    ) -> Result<ServiceAccountView, Error> {
        let attempted = attempted(Action::IamServiceAccountRead, Permission::Read);
        let permit = self.may::<ServiceAccount>(session, attempted, name).await?;
        let read = async { self.service_account_view(permit.find().await?).await };
        permit.told(read.await).await
    }
}
