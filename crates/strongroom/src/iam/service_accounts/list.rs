use super::{ServiceAccountView, attempted};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::OrganisationSession;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::port::ObjectSelector;

impl Engine {
    /// The service accounts of the organisation that the caller may read, oldest first.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), and those of the store.
    pub async fn list_service_accounts(&self, session: &OrganisationSession) -> Result<Vec<ServiceAccountView>, Error> {
        let attempted = attempted(Action::IamServiceAccountList, Permission::List);
        let permit = self.may_list_objects(session, attempted).await?;
        let read = async {
            let organisation = session.organisation.id;
            let accounts = self.objects(Some(organisation), ObjectSelector::All).await?;
            self.service_account_views(organisation, permit.readable(accounts)).await
        };
        permit.told(read.await).await
    }
}
