use super::widening::is_wider;
use super::{FederatedIdentityView, attempted, check_lists};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::iam::access_credentials::check_expiry;
use crate::iam::granted::by_federation;
use crate::iam::identity_providers::check_fixed;
use crate::iam::{NamedPatch, Permit};
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{
    AudienceMatch, BoundTo, Expiry, FederatedIdentity, FederatedIdentityStatus, Scopes,
};
use strongroom_domain::document::Document;
use strongroom_domain::iam::Permission;
use strongroom_domain::unit::Change;

/// Changes a federated identity.
pub struct UpdateFederatedIdentity<'a>(Permit<'a>);

/// What is to be changed of a federated identity; what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct FederatedIdentityPatch {
    /// Name, description, labels, annotations.
    pub named: NamedPatch,
    /// The service account's identity, which must be the one that it has.
    pub service_account: Option<String>,
    /// The provider's identity, which must be the one that it has.
    pub provider: Option<String>,
    /// The subject, which must be the one that it has.
    pub subject: Option<String>,
    /// The audiences (`aud`) that are trusted, all of them: at most 64, each of 1 to 1,024 bytes. With none, no token is taken.
    pub audiences: Option<Vec<String>>,
    /// How a token's audiences must meet them.
    pub audience_match: Option<AudienceMatch>,
    /// What its tokens allow.
    pub scopes: Option<Scopes>,
    /// Whether it opens anything.
    pub status: Option<FederatedIdentityStatus>,
    /// The moment from which on it opens nothing.
    pub expires: Option<Expiry>,
    /// Claims that must hold, all of them, with their values: at most 64, a name of 1 to 1,024 bytes and a value of at most 4 KiB each.
    pub conditions: Option<Vec<(String, Document)>>,
}

impl Engine {
    /// Checks that the caller may change this federated identity.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn update_federated_identity<'a>(
        &'a self,
        session: &'a OrganisationSession,
        name: &str,
    ) -> Result<UpdateFederatedIdentity<'a>, Error> {
        let attempted = attempted(Action::IamFederatedIdentityUpdate, Permission::Update);
        self.may::<FederatedIdentity>(session, attempted, name).await.map(UpdateFederatedIdentity)
    }
}

impl UpdateFederatedIdentity<'_> {
    /// Changes it.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`], [`Code::InvalidRequest`] also for what can't be changed, [`Code::Escalation`] when it would open more
    /// and the service account may do more than the caller, and those of the store.
    pub async fn run(self, patch: FederatedIdentityPatch) -> Result<FederatedIdentityView, Error> {
        self.0.engine.amend(self.0.session, &Update { permit: &self.0, patch }).await
    }
}

struct Update<'a> {
    permit: &'a Permit<'a>,
    patch: FederatedIdentityPatch,
}

impl Update<'_> {
    fn apply(&self, identity: &mut FederatedIdentity) -> Result<(), Error> {
        let patch = &self.patch;
        let (account, provider) = (identity.service_account.to_string(), identity.provider.to_string());
        check_fixed("serviceAccountIdentity", patch.service_account.as_deref(), Some(&account))?;
        check_fixed("providerIdentity", patch.provider.as_deref(), Some(&provider))?;
        check_fixed("providerSubject", patch.subject.as_deref(), Some(identity.subject.as_str()))?;
        patch.named.apply(&mut identity.named)?;
        if let Some(audiences) = &patch.audiences {
            identity.audiences.clone_from(audiences);
        }
        if let Some(scopes) = &patch.scopes {
            identity.scopes.clone_from(scopes);
        }
        if let Some(conditions) = &patch.conditions {
            identity.conditions.clone_from(conditions);
        }
        if patch.expires.is_some() {
            identity.expires.clone_from(&patch.expires);
        }
        identity.audience_match = patch.audience_match.unwrap_or(identity.audience_match);
        let status = patch.status.unwrap_or(identity.status);
        if identity.status == FederatedIdentityStatus::Revoked && status != identity.status {
            let message = "`status`: what is revoked stays so; make another federated identity.";
            return Err(Error::new(Code::InvalidRequest, message));
        }
        identity.status = status;
        Ok(())
    }
}

#[async_trait]
impl DirectoryChange for Update<'_> {
    type Answer = FederatedIdentityView;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.permit.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<FederatedIdentityView>, Error> {
        let patch = &self.patch;
        patch.named.check()?;
        check_lists(patch.audiences.as_deref().unwrap_or_default(), patch.conditions.as_deref().unwrap_or_default())?;
        let (before, rule) = scene.permitted::<FederatedIdentity>(self.permit).await?;
        let mut identity = before.clone();
        self.apply(&mut identity)?;
        let mut changes = Vec::new();
        if identity != before {
            if identity.expires != before.expires {
                check_expiry(identity.expires.as_ref(), scene.at)?;
            }
            if is_wider(&before, &identity) {
                scene.check_minted(&identity.scopes, identity.expires.as_ref())?;
                let account = BoundTo::ServiceAccount(identity.service_account);
                scene.check_gain(&scene.rules_of(&[account]).await?)?;
            }
            identity.named.touch(scene.at);
            changes.push(Change::PutObject(Box::new(identity.clone().into())));
        }
        Ok(Amended {
            changes,
            resource: self.permit.attempted.object(identity.id.to_string(), identity.id.uuid()),
            access: Some(by_federation(&identity, Some(&before))),
            rule: Some(rule),
            status: 200,
            answer: scene.engine.federated_view(identity).await?,
        })
    }
}
