use super::{IdentityProviderView, attempted};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::OrganisationSession;
use strongroom_domain::audit::Action;
use strongroom_domain::directory::IdentityProvider;
use strongroom_domain::iam::Permission;

impl Engine {
    /// The provider of this identity.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), and those of the store.
    pub async fn get_identity_provider(
        &self,
        session: &OrganisationSession,
        name: &str,
    ) -> Result<IdentityProviderView, Error> {
        let attempted = attempted(Action::IamIdentityProviderRead, Permission::Read);
        let permit = self.may::<IdentityProvider>(session, attempted, name).await?;
        let read = async { self.provider_view(permit.find().await?).await };
        permit.told(read.await).await
    }
}
