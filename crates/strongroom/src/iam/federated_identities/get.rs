use super::{FederatedIdentityView, attempted};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::OrganisationSession;
use strongroom_domain::audit::Action;
use strongroom_domain::directory::FederatedIdentity;
use strongroom_domain::iam::Permission;

impl Engine {
    /// The federated identity of this identity or slug.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), and those of the store.
    pub async fn get_federated_identity(
        &self,
        session: &OrganisationSession,
        name: &str,
    ) -> Result<FederatedIdentityView, Error> {
        let attempted = attempted(Action::IamFederatedIdentityRead, Permission::Read);
        let permit = self.may::<FederatedIdentity>(session, attempted, name).await?;
        let read = async { self.federated_view(permit.find().await?).await };
        permit.told(read.await).await
    }
}
