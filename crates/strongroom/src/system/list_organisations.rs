use super::OperatorSession;
use super::enter::Operation;
use crate::audit;
use crate::engine::Engine;
use crate::error::Error;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::tenancy::Organisation;

impl Engine {
    /// All organisations, by slug.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list_organisations(&self, session: &OperatorSession) -> Result<Vec<Organisation>, Error> {
        let operation = Operation { engine: self, session, action: Action::SystemOrganisationRead };
        let all = self.ports.tenancy.organisations().await.map_err(Error::from);
        operation.told(None, audit::listing(ResourceKind::Organisation, ""), all).await
    }
}
