use super::grant::{Issue, TokenGrant};
use super::narrowed;
use super::refusal::Refused;
use super::span::span;
use crate::engine::Engine;
use crate::error::{Code, Error};
use std::sync::Arc;
use strongroom_domain::audit::{Action, RequestInfo, Resource, ResourceKind};
use strongroom_domain::directory::{
    FederatedIdentity, FederatedIdentityStatus, IdentityProvider, ProviderStatus, ServiceAccount,
};
use strongroom_domain::document::Document;
use strongroom_domain::id::{CredentialId, OrganisationId};
use strongroom_domain::port::{AccessClaims, ForeignClaims, ForeignTokenError};
use strongroom_domain::principal::{CredentialScopes, Principal};
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;

/// The shortest life of a token, in seconds.
pub const MIN_LIFETIME: u64 = 60;
/// The longest life of a token, in seconds.
pub const MAX_LIFETIME: u64 = 24 * 3_600;
/// How long it lives unless the client says otherwise, in seconds.
const LIFETIME: u64 = 3_600;

/// A client that asks for a token in exchange for that of another issuer.
pub struct TokenExchange {
    /// The other issuer's token.
    pub subject_token: SecretBytes,
    /// The organisation, by identity or slug.
    pub organisation: String,
    /// The service account to become, by identity or slug.
    pub service_account: String,
    /// How long the token is to live, in seconds; 1 hour when it isn't said.
    pub lifetime: Option<u64>,
    /// The scopes to which the token is to be narrowed; none for all that the federated identity has.
    pub scopes: Vec<String>,
}

/// One text for whatever anybody can ask without a token that verifies: it tells nothing of organisations and their providers.
fn refused_token() -> Error {
    Error::new(
        Code::TokenRefused,
        "The subject token is refused. Check that `organisation_id` exists and has an active identity provider of exactly the token's issuer (`iss`, a trailing slash counts), and the token's signature and times; the organisation's audit log says what is wrong.",
    )
}

/// One text, without where the keys are and how that answers.
fn unavailable_keys() -> Error {
    Error::new(
        Code::IssuerUnavailable,
        "The keys of the token's issuer cannot be had right now; try again shortly. The organisation's audit log says why.",
    )
}

/// One text, whether the service account is unknown or the token isn't meant: whoever has any token of a public issuer comes here.
fn no_identity() -> Error {
    Error::new(
        Code::TokenRefused,
        "No active federated identity turns this token into that service account; check `service_account_id`, and the federated identity's subject, audiences, conditions and end.",
    )
}

impl Engine {
    /// Leave for an access token of a service account, in exchange for a token of another issuer that a federated identity accepts. The token
    /// never outlives the federated identity. A refusal is counted or recorded already.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] for a lifetime that isn't 1 minute to 24 hours, [`Code::TokenRefused`], [`Code::InvalidScope`],
    /// [`Code::IssuerUnavailable`], [`Code::NoCredentials`], and those of the store.
    pub async fn exchange_token(
        &self,
        exchange: TokenExchange,
        request: &Arc<RequestInfo>,
    ) -> Result<TokenGrant<'_>, Error> {
        match self.for_subject(exchange).await {
            Ok(issue) => Ok(TokenGrant::new(self, issue, request)),
            Err(refused) => Err(self.refuse_token(Action::AuthTokenExchange, refused, request).await),
        }
    }

    async fn for_subject(&self, exchange: TokenExchange) -> Result<Issue, Refused> {
        let lifetime = exchange.lifetime.unwrap_or(LIFETIME);
        if !(MIN_LIFETIME..=MAX_LIFETIME).contains(&lifetime) {
            let message = "`access_token_lifetime` is 1 minute to 24 hours, such as `3600`, `3600s` or `1h30m`.";
            return Err(Error::new(Code::InvalidRequest, message).into());
        }
        let foreign = &self.credentials()?.foreign;
        let issuer = foreign.issuer(&exchange.subject_token).ok_or_else(|| {
            let message = "`subject_token` is no JSON web token with an issuer (`iss`), or longer than 16 KiB.";
            Error::new(Code::TokenRefused, message)
        })?;
        let organisation = self.organisation_named(&exchange.organisation).await?.ok_or_else(refused_token)?;
        let id = organisation.id;
        let concerned = |error: Error| Refused::of(id, None, error);
        let provider = self.active_provider(id, &issuer).await.map_err(concerned)?;
        let now = self.ports.clock.now();
        let refuse = |error: Error| Refused::of(id, Some(resource(&provider)), error);
        let verified = foreign.verify(&provider, &exchange.subject_token, now).await;
        // The client isn't told why; the organisation's log is.
        let claims = verified.map_err(|error| {
            let told = match error {
                ForeignTokenError::Refused(_) => refused_token(),
                ForeignTokenError::Unavailable(_) => unavailable_keys(),
            };
            refuse(told.decided_by(error.to_string()))
        })?;
        let project = self.project_of(&organisation, &claims).await.map_err(refuse)?;
        let (identity, scopes) = self.identity_for(&exchange, &provider, &claims, now).await.map_err(refuse)?;
        let end = identity.expires.as_ref().map(|expiry| expiry.at);
        let (issued_at, expires_at) = span(now, lifetime, end).ok_or_else(|| refuse(no_identity()))?;
        let claims = AccessClaims {
            principal: Principal::ServiceAccount(identity.service_account),
            organisation: id,
            credential: CredentialId::new(identity.id.uuid()),
            scopes,
            project,
            issued_at,
            expires_at,
        };
        let resource = Resource {
            kind: ResourceKind::FederatedIdentity,
            identity: identity.id.to_string(),
            id: Some(identity.id.uuid()),
            version: None,
        };
        Ok(Issue { action: Action::AuthTokenExchange, claims, resource })
    }

    async fn organisation_named(&self, name: &str) -> Result<Option<Arc<Organisation>>, Error> {
        if let Ok(id) = name.parse()
            && let Some(found) = self.organisation(id).await?
        {
            return Ok(Some(found));
        }
        match self.cache.organisation_by_slug(name).await? {
            Some(id) => self.organisation(id).await,
            None => Ok(None),
        }
    }

    async fn active_provider(&self, organisation: OrganisationId, issuer: &str) -> Result<IdentityProvider, Error> {
        let found: Option<IdentityProvider> = self.object_by_handle(Some(organisation), issuer).await?;
        let found = found.filter(|it| it.issuer == issuer);
        let provider = found.ok_or_else(|| refused_token().decided_by("no_identity_provider_of_this_issuer"))?;
        match provider.status {
            ProviderStatus::Active => Ok(provider),
            ProviderStatus::Inactive => Err(refused_token().decided_by(format!("{}: inactive", provider.id))),
        }
    }

    /// The federated identity that takes the token, and what a token of it allows; of several the first that has the wanted scopes.
    async fn identity_for(
        &self,
        exchange: &TokenExchange,
        provider: &IdentityProvider,
        claims: &ForeignClaims,
        now: Timestamp,
    ) -> Result<(FederatedIdentity, CredentialScopes), Error> {
        let organisation = provider.organisation;
        let account: Option<ServiceAccount> = self.object_named(organisation, &exchange.service_account).await?;
        let account = account.ok_or_else(|| no_identity().decided_by("no_such_service_account"))?;
        let mut refusal = no_identity().decided_by("no_federated_identity");
        for identity in self.parts_of::<FederatedIdentity>(organisation, provider.id.uuid()).await? {
            let stands = identity.status == FederatedIdentityStatus::Active
                && !identity.expires.as_ref().is_some_and(|expiry| expiry.is_over(now));
            if identity.service_account != account.id || !stands {
                continue;
            }
            match identity.accepts(claims) {
                Ok(()) => match narrowed(&identity.scopes, &exchange.scopes) {
                    Ok(scopes) => return Ok((identity, scopes)),
                    Err(error) => refusal = error,
                },
                // The client isn't told; the organisation's log is.
                Err(why) if refusal.code() == Code::TokenRefused => {
                    refusal = no_identity().decided_by(format!("{}: {why}", identity.id));
                }
                Err(_) => {}
            }
        }
        Err(refusal)
    }

    /// The project to which the token is bound by its claim `project`.
    async fn project_of(&self, organisation: &Organisation, claims: &ForeignClaims) -> Result<Option<String>, Error> {
        let refuse = || Error::new(Code::TokenRefused, "The subject token's claim `project` is not one text.");
        let mut named = claims.claims.iter().filter(|(claim, _)| claim == "project").map(|(_, value)| value);
        let name = match (named.next(), named.next()) {
            (None | Some(Document::Null), None) => return Ok(None),
            (Some(Document::Text(name)), None) if !name.is_empty() => name,
            _ => return Err(refuse()),
        };
        // One that isn't known yet stays as it is; calls with the token are refused until it is.
        let project = self.find_project(organisation, name).await?;
        Ok(Some(project.map_or_else(|| name.clone(), |project| project.id.to_string())))
    }
}

fn resource(provider: &IdentityProvider) -> Resource {
    Resource {
        kind: ResourceKind::IdentityProvider,
        identity: provider.id.to_string(),
        id: Some(provider.id.uuid()),
        version: None,
    }
}
