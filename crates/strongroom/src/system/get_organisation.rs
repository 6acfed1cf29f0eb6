use super::enter::Operation;
use super::{OperatorSession, organisation_resource};
use crate::audit;
use crate::engine::Engine;
use crate::error::{Code, Error};
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::tenancy::Organisation;

impl Engine {
    /// The organisation of this identity or slug.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`], and those of the store.
    pub async fn get_organisation(&self, session: &OperatorSession, name: &str) -> Result<Organisation, Error> {
        let operation = Operation { engine: self, session, action: Action::SystemOrganisationRead };
        match self.find_organisation(name).await {
            Ok(found) => operation.told(Some(found.id), organisation_resource(&found), Ok(found)).await,
            Err(error) => operation.told(None, named(name), Err(error)).await,
        }
    }

    pub(super) async fn find_organisation(&self, name: &str) -> Result<Organisation, Error> {
        let found = self.ports.tenancy.organisation(name).await?;
        found.ok_or_else(|| Error::new(Code::ObjectNotFound, "There is no such organisation; check its identity."))
    }
}

/// What the log says of an organisation that is only named.
pub(super) fn named(name: &str) -> strongroom_domain::audit::Resource {
    audit::listing(ResourceKind::Organisation, &name.chars().take(64).collect::<String>())
}
