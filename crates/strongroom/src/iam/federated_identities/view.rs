use crate::engine::Engine;
use crate::error::Error;
use std::collections::BTreeSet;
use strongroom_domain::directory::{FederatedIdentity, FederatedIdentityStatus, IdentityProvider, ServiceAccount};
use strongroom_domain::id::OrganisationId;
use strongroom_domain::port::ObjectSelector;
use uuid::Uuid;

/// A federated identity as callers see it.
#[derive(Clone, Debug)]
pub struct FederatedIdentityView {
    /// The federated identity.
    pub identity: FederatedIdentity,
    /// Whether it opens anything now: it ends by itself when its time is over.
    pub status: FederatedIdentityStatus,
    /// What the subject becomes.
    pub service_account: Option<ServiceAccount>,
    /// Whose subject it is.
    pub provider: Option<IdentityProvider>,
}

impl Engine {
    /// Federated identities as callers see them.
    pub(crate) async fn federated_views(
        &self,
        organisation: OrganisationId,
        identities: Vec<FederatedIdentity>,
    ) -> Result<Vec<FederatedIdentityView>, Error> {
        let ids = |ids: BTreeSet<Uuid>| ObjectSelector::Ids(ids.into_iter().collect());
        let accounts = ids(identities.iter().map(|identity| identity.service_account.uuid()).collect());
        let providers = ids(identities.iter().map(|identity| identity.provider.uuid()).collect());
        let accounts: Vec<ServiceAccount> = self.objects(Some(organisation), accounts).await?;
        let providers: Vec<IdentityProvider> = self.objects(Some(organisation), providers).await?;
        let now = self.ports.clock.now();
        let view = |identity: FederatedIdentity| {
            let is_over = identity.expires.as_ref().is_some_and(|expiry| expiry.is_over(now));
            FederatedIdentityView {
                status: match identity.status {
                    FederatedIdentityStatus::Active if is_over => FederatedIdentityStatus::Expired,
                    status => status,
                },
                service_account: accounts.iter().find(|it| it.id == identity.service_account).cloned(),
                provider: providers.iter().find(|it| it.id == identity.provider).cloned(),
                identity,
            }
        };
        Ok(identities.into_iter().map(view).collect())
    }

    /// One federated identity as callers see it.
    pub(crate) async fn federated_view(&self, identity: FederatedIdentity) -> Result<FederatedIdentityView, Error> {
        let organisation = identity.organisation;
        let mut views = self.federated_views(organisation, vec![identity]).await?;
        views.pop().ok_or_else(crate::iam::permit::no_such::<FederatedIdentity>)
    }
}
