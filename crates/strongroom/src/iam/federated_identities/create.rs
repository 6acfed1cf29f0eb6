use super::{FederatedIdentityView, attempted, check_lists};
use crate::directory::{Amended, DirectoryChange, Kind, Scene};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::iam::Permit;
use crate::iam::access_credentials::check_expiry;
use crate::iam::granted::by_federation;
use crate::iam::room::check_room;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{
    AudienceMatch, BoundTo, Expiry, FederatedIdentity, FederatedIdentityStatus, IdentityProvider, Named, Scopes,
    ServiceAccount, SubjectPattern,
};
use strongroom_domain::document::Document;
use strongroom_domain::iam::Permission;
use strongroom_domain::id::{FederatedIdentityId, ProviderId, ServiceAccountId};
use strongroom_domain::metadata::{Metadata, check_name};
use strongroom_domain::unit::Change;
use uuid::Uuid;

/// The most federated identities of a provider: each is tried when a token is exchanged.
const MAX_IDENTITIES: usize = 1_000;

/// Lets subjects of a provider become a service account.
pub struct CreateFederatedIdentity<'a>(Permit<'a>);

/// A federated identity to be made.
#[derive(Clone, Debug)]
pub struct NewFederatedIdentity {
    /// Its name: 1 to 255 characters, none of them a control character; others may have the same. The slug is made of it.
    pub name: String,
    /// Description, labels and annotations.
    pub metadata: Metadata,
    /// The service account that a subject becomes; one that may do no more than the caller.
    pub service_account: ServiceAccountId,
    /// The provider that vouches for the subject; it has at most 1,000 federated identities.
    pub provider: ProviderId,
    /// Which subjects are meant.
    pub subject: SubjectPattern,
    /// The audiences (`aud`) that are trusted: at most 64, each of 1 to 1,024 bytes. With none, no token is taken.
    pub audiences: Vec<String>,
    /// How a token's audiences must meet them.
    pub audience_match: AudienceMatch,
    /// What the tokens allow that are given in exchange; no more than the caller's credential allows.
    pub scopes: Scopes,
    /// Whether it opens anything.
    pub status: FederatedIdentityStatus,
    /// The moment from which on it opens nothing, in the future; `None` for never.
    pub expires: Option<Expiry>,
    /// Claims that must hold, with their values: at most 64, a name of 1 to 1,024 bytes and a value of at most 4 KiB each.
    pub conditions: Vec<(String, Document)>,
}

impl Engine {
    /// Checks that the caller may make federated identities.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn create_federated_identity<'a>(
        &'a self,
        session: &'a OrganisationSession,
    ) -> Result<CreateFederatedIdentity<'a>, Error> {
        let attempted = attempted(Action::IamFederatedIdentityCreate, Permission::Create);
        self.may::<FederatedIdentity>(session, attempted, "").await.map(CreateFederatedIdentity)
    }
}

impl CreateFederatedIdentity<'_> {
    /// Makes it.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`], [`Code::ObjectNotFound`] for an unknown service account or provider, [`Code::Escalation`] when the
    /// service account may do more than the caller, and those of the store.
    pub async fn run(self, new: NewFederatedIdentity) -> Result<FederatedIdentityView, Error> {
        self.0.engine.amend(self.0.session, &Creation { permit: &self.0, new }).await
    }
}

struct Creation<'a> {
    permit: &'a Permit<'a>,
    new: NewFederatedIdentity,
}

/// An object that a body names by identity.
async fn referred<T: Kind>(scene: &Scene<'_>, field: &str, id: Uuid) -> Result<T, Error> {
    let found = scene.engine.object_by_id::<T>(Some(scene.organisation.id), id).await?;
    found.ok_or_else(|| {
        let what = T::KIND.as_str().replace('_', " ");
        let message =
            format!("`{field}` names no {what} of this organisation; it wants an identity, not a name or slug.");
        Error::new(Code::ObjectNotFound, message)
    })
}

#[async_trait]
impl DirectoryChange for Creation<'_> {
    type Answer = FederatedIdentityView;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.new.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<FederatedIdentityView>, Error> {
        let attempted = self.permit.attempted;
        let rule = scene.permit::<FederatedIdentity>(attempted, None)?;
        let new = self.new.clone();
        check_name(&new.name)?;
        check_expiry(new.expires.as_ref(), scene.at)?;
        check_lists(&new.audiences, &new.conditions)?;
        let slug = scene.free_slug::<FederatedIdentity>(&new.name).await?;
        let identity = FederatedIdentity {
            id: FederatedIdentityId::new(scene.new_id()),
            organisation: scene.organisation.id,
            named: Named::new(new.name, slug, new.metadata, scene.at),
            service_account: new.service_account,
            provider: new.provider,
            subject: new.subject,
            audiences: new.audiences,
            audience_match: new.audience_match,
            scopes: new.scopes,
            status: new.status,
            expires: new.expires,
            conditions: new.conditions,
        };
        let account: ServiceAccount =
            referred(scene, "serviceAccountIdentity", identity.service_account.uuid()).await?;
        let provider: IdentityProvider = referred(scene, "providerIdentity", identity.provider.uuid()).await?;
        let known = scene.engine.parts_of::<FederatedIdentity>(scene.organisation.id, provider.id.uuid()).await?.len();
        check_room(known, MAX_IDENTITIES, "The provider", "federated identities")?;
        scene.check_minted(&identity.scopes, identity.expires.as_ref())?;
        scene.check_gain(&scene.rules_of(&[BoundTo::ServiceAccount(account.id)]).await?)?;
        Ok(Amended {
            changes: vec![Change::PutObject(Box::new(identity.clone().into()))],
            resource: attempted.object(identity.id.to_string(), identity.id.uuid()),
            access: Some(by_federation(&identity, None)),
            rule: Some(rule),
            status: 201,
            answer: scene.engine.federated_view(identity).await?,
        })
    }
}
