use super::{FederatedIdentityView, attempted};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::OrganisationSession;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::port::ObjectSelector;

impl Engine {
    /// The federated identities of the organisation that the caller may read, oldest first.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), and those of the store.
    pub async fn list_federated_identities(
        &self,
        session: &OrganisationSession,
    ) -> Result<Vec<FederatedIdentityView>, Error> {
        let attempted = attempted(Action::IamFederatedIdentityList, Permission::List);
        let permit = self.may_list_objects(session, attempted).await?;
        let read = async {
            let organisation = session.organisation.id;
            let identities = self.objects(Some(organisation), ObjectSelector::All).await?;
            self.federated_views(organisation, permit.readable(identities)).await
        };
        permit.told(read.await).await
    }
}
