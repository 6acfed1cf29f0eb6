use super::{IdentityProviderView, attempted};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::iam::Permit;
use crate::iam::granted::by_provider;
use crate::iam::room::check_room;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{IdentityProvider, Named, ProviderStatus};
use strongroom_domain::iam::Permission;
use strongroom_domain::id::ProviderId;
use strongroom_domain::metadata::{Metadata, check_name, slug_of};
use strongroom_domain::port::ObjectSelector;
use strongroom_domain::unit::Change;

/// The longest issuer, in bytes.
const MAX_ISSUER_LEN: usize = 1_024;

/// The most providers of an organisation.
const MAX_PROVIDERS: usize = 100;

/// Makes an issuer known, whose tokens can then be exchanged.
pub struct CreateIdentityProvider<'a>(Permit<'a>);

/// A provider to be made.
#[derive(Clone, Debug)]
pub struct NewIdentityProvider {
    /// Its name: 1 to 255 characters, none of them a control character; others may have the same.
    pub name: String,
    /// Description, labels and annotations.
    pub metadata: Metadata,
    /// The issuer, exactly as tokens have it in `iss`: 1 to 1,024 bytes without spaces and control characters. The organisation has no
    /// other provider of this issuer, and at most 100 in all.
    pub issuer: String,
    /// Where its keys are; `None` for where its discovery document says.
    pub jwks_uri: Option<String>,
    /// Its keys themselves.
    pub local_jwks: Option<String>,
    /// Whether its tokens are taken.
    pub status: ProviderStatus,
}

impl Engine {
    /// Checks that the caller may make providers.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn create_identity_provider<'a>(
        &'a self,
        session: &'a OrganisationSession,
    ) -> Result<CreateIdentityProvider<'a>, Error> {
        let attempted = attempted(Action::IamIdentityProviderCreate, Permission::Create);
        self.may::<IdentityProvider>(session, attempted, "").await.map(CreateIdentityProvider)
    }

    /// Refuses keys, or places of keys, that can't be taken.
    pub(super) fn check_keys(&self, provider: &IdentityProvider) -> Result<(), Error> {
        let foreign = &self.credentials()?.foreign;
        foreign
            .check(provider.local_jwks.as_deref(), provider.jwks_uri.as_deref(), &provider.issuer)
            .map_err(|rule| Error::new(Code::InvalidRequest, format!("The provider's keys cannot be used: {rule}.")))
    }
}

impl CreateIdentityProvider<'_> {
    /// Makes it.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`], [`Code::ObjectExists`] when the organisation has a provider of this issuer,
    /// [`Code::NoCredentials`], and those of the store.
    pub async fn run(self, new: NewIdentityProvider) -> Result<IdentityProviderView, Error> {
        self.0.engine.amend(self.0.session, &Creation { permit: &self.0, new }).await
    }
}

struct Creation<'a> {
    permit: &'a Permit<'a>,
    new: NewIdentityProvider,
}

fn check_issuer(issuer: &str) -> Result<(), Error> {
    let legal = |c: char| !c.is_control() && !c.is_whitespace();
    if !issuer.is_empty() && issuer.len() <= MAX_ISSUER_LEN && issuer.chars().all(legal) {
        return Ok(());
    }
    Err(Error::new(
        Code::InvalidRequest,
        format!(
            "`providerIssuer`: is exactly what tokens have as `iss`, without spaces, at most {MAX_ISSUER_LEN} bytes."
        ),
    ))
}

#[async_trait]
impl DirectoryChange for Creation<'_> {
    type Answer = IdentityProviderView;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.new.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<IdentityProviderView>, Error> {
        let attempted = self.permit.attempted;
        let rule = scene.permit::<IdentityProvider>(attempted, None)?;
        let NewIdentityProvider { name, metadata, issuer, jwks_uri, local_jwks, status } = self.new.clone();
        check_name(&name)?;
        check_issuer(&issuer)?;
        let organisation = scene.organisation.id;
        let slug = slug_of(&name);
        let provider = IdentityProvider {
            id: ProviderId::new(scene.new_id()),
            organisation,
            named: Named::new(name, slug, metadata, scene.at),
            issuer,
            jwks_uri,
            local_jwks,
            status,
            created_by: Some(scene.session.caller().principal),
        };
        scene.engine.check_keys(&provider)?;
        let issuer = &provider.issuer;
        if scene.engine.object_by_handle::<IdentityProvider>(Some(organisation), issuer).await?.is_some() {
            return Err(Error::new(
                Code::ObjectExists,
                "The organisation has a provider with this `providerIssuer` already; use or change that one.",
            ));
        }
        let known = scene.engine.objects::<IdentityProvider>(Some(organisation), ObjectSelector::All).await?.len();
        check_room(known, MAX_PROVIDERS, "The organisation", "identity providers")?;
        Ok(Amended {
            changes: vec![Change::PutObject(Box::new(provider.clone().into()))],
            resource: attempted.object(provider.id.to_string(), provider.id.uuid()),
            access: Some(by_provider(&provider, None)),
            rule: Some(rule),
            status: 201,
            answer: scene.engine.provider_view(provider).await?,
        })
    }
}
