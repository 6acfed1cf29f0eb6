use super::{IdentityProviderView, attempted, check_fixed};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::granted::by_provider;
use crate::iam::{NamedPatch, Permit};
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{BoundTo, FederatedIdentity, IdentityProvider, ProviderStatus};
use strongroom_domain::iam::Permission;
use strongroom_domain::unit::Change;

/// Changes a provider.
pub struct UpdateIdentityProvider<'a>(Permit<'a>);

/// What is to be changed of a provider; what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct IdentityProviderPatch {
    /// Name, description, labels, annotations.
    pub named: NamedPatch,
    /// The issuer, which must be the one that it has.
    pub issuer: Option<String>,
    /// Where its keys are; empty for where its discovery document says.
    pub jwks_uri: Option<String>,
    /// Its keys themselves, which must be those that it has.
    pub local_jwks: Option<String>,
    /// Whether its tokens are taken.
    pub status: Option<ProviderStatus>,
}

impl Engine {
    /// Checks that the caller may change this provider.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn update_identity_provider<'a>(
        &'a self,
        session: &'a OrganisationSession,
        name: &str,
    ) -> Result<UpdateIdentityProvider<'a>, Error> {
        let attempted = attempted(Action::IamIdentityProviderUpdate, Permission::Update);
        self.may::<IdentityProvider>(session, attempted, name).await.map(UpdateIdentityProvider)
    }
}

impl UpdateIdentityProvider<'_> {
    /// Changes it.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), [`Code::InvalidRequest`](crate::Code::InvalidRequest) also for what can't
    /// be changed, [`Code::Escalation`](crate::Code::Escalation) when other keys, or the provider being active again, would let tokens
    /// in for service accounts that may do more than the caller, and those of the store.
    pub async fn run(self, patch: IdentityProviderPatch) -> Result<IdentityProviderView, Error> {
        self.0.engine.amend(self.0.session, &Update { permit: &self.0, patch }).await
    }
}

struct Update<'a> {
    permit: &'a Permit<'a>,
    patch: IdentityProviderPatch,
}

impl Update<'_> {
    fn apply(&self, provider: &mut IdentityProvider) -> Result<(), Error> {
        let IdentityProviderPatch { named, issuer, jwks_uri, local_jwks, status } = &self.patch;
        check_fixed("providerIssuer", issuer.as_deref(), Some(&provider.issuer))?;
        check_fixed("localJwks", local_jwks.as_deref(), provider.local_jwks.as_deref())?;
        named.apply(&mut provider.named)?;
        if let Some(uri) = jwks_uri {
            provider.jwks_uri = (!uri.is_empty()).then(|| uri.clone());
        }
        provider.status = status.unwrap_or(provider.status);
        Ok(())
    }
}

/// Whoever holds other keys speaks for every subject.
fn lets_more_in(before: &IdentityProvider, after: &IdentityProvider) -> bool {
    let is_active = |provider: &IdentityProvider| provider.status == ProviderStatus::Active;
    before.jwks_uri != after.jwks_uri || (is_active(after) && !is_active(before))
}

#[async_trait]
impl DirectoryChange for Update<'_> {
    type Answer = IdentityProviderView;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.permit.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<IdentityProviderView>, Error> {
        self.patch.named.check()?;
        let (before, rule) = scene.permitted::<IdentityProvider>(self.permit).await?;
        let mut provider = before.clone();
        self.apply(&mut provider)?;
        let mut changes = Vec::new();
        if provider != before {
            if provider.jwks_uri != before.jwks_uri {
                scene.engine.check_keys(&provider)?;
            }
            if lets_more_in(&before, &provider) {
                let parts = scene.engine.parts_of::<FederatedIdentity>(scene.organisation.id, provider.id.uuid());
                let identities = parts.await?;
                identities.iter().try_for_each(|it| scene.check_minted(&it.scopes, it.expires.as_ref()))?;
                let accounts = identities.iter().map(|it| BoundTo::ServiceAccount(it.service_account));
                scene.check_gain(&scene.rules_of(&accounts.collect::<Vec<_>>()).await?)?;
            }
            provider.named.touch(scene.at);
            changes.push(Change::PutObject(Box::new(provider.clone().into())));
        }
        Ok(Amended {
            changes,
            resource: self.permit.attempted.object(provider.id.to_string(), provider.id.uuid()),
            access: Some(by_provider(&provider, Some(&before))),
            rule: Some(rule),
            status: 200,
            answer: scene.engine.provider_view(provider).await?,
        })
    }
}
