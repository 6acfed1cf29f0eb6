use super::{IdentityProviderView, attempted};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::OrganisationSession;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::port::ObjectSelector;

impl Engine {
    /// The providers of the organisation that the caller may read, oldest first.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), and those of the store.
    pub async fn list_identity_providers(
        &self,
        session: &OrganisationSession,
    ) -> Result<Vec<IdentityProviderView>, Error> {
        let attempted = attempted(Action::IamIdentityProviderList, Permission::List);
        let permit = self.may_list_objects(session, attempted).await?;
        let read = async {
            let providers = self.objects(Some(session.organisation.id), ObjectSelector::All).await?;
            self.provider_views(permit.readable(providers)).await
        };
        permit.told(read.await).await
    }
}
