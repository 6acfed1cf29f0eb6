use crate::engine::Engine;
use crate::error::Error;
use crate::iam::service_accounts::maker;
use strongroom_domain::directory::{IdentityProvider, User};

/// A provider as callers see it.
#[derive(Clone, Debug)]
pub struct IdentityProviderView {
    /// The provider.
    pub provider: IdentityProvider,
    /// The user who made it; `None` when that was no user, or one who is gone.
    pub created_by: Option<User>,
}

impl Engine {
    /// Providers as callers see them.
    pub(crate) async fn provider_views(
        &self,
        providers: Vec<IdentityProvider>,
    ) -> Result<Vec<IdentityProviderView>, Error> {
        let users = self.makers(providers.iter().map(|provider| provider.created_by)).await?;
        let view = |provider: IdentityProvider| IdentityProviderView {
            created_by: maker(&users, provider.created_by),
            provider,
        };
        Ok(providers.into_iter().map(view).collect())
    }

    /// One provider as callers see it.
    pub(crate) async fn provider_view(&self, provider: IdentityProvider) -> Result<IdentityProviderView, Error> {
        let users = self.makers([provider.created_by].into_iter()).await?;
        Ok(IdentityProviderView { created_by: maker(&users, provider.created_by), provider })
    }
}
