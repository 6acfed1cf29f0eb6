use super::grant::{Issue, TokenGrant};
use super::narrowed;
use super::refusal::Refused;
use super::span::span;
use crate::engine::Engine;
use crate::error::{Code, Error};
use std::sync::Arc;
use strongroom_domain::audit::{Action, RequestInfo, Resource, ResourceKind};
use strongroom_domain::directory::AccessCredential;
use strongroom_domain::port::AccessClaims;
use strongroom_domain::principal::Principal;
use strongroom_domain::value::SecretBytes;

/// How long a token for an access credential lives, in seconds.
const LIFETIME: u64 = 3_600;

/// A client that asks for a token with its access key and secret.
pub struct ClientCredentials {
    /// The access key.
    pub key: String,
    /// The access secret.
    pub secret: SecretBytes,
    /// The scopes to which the token is to be narrowed; none for all that the credential has.
    pub scopes: Vec<String>,
}

/// One text, whatever it is that is wrong.
fn invalid_client() -> Error {
    Error::new(
        Code::Unauthenticated,
        "The client id and secret are not valid: they are an access key and its secret, neither expired nor deleted.",
    )
}

impl Engine {
    /// Leave for an access token for an access credential; `None` is a client that doesn't say who it is. The token lives for an hour, and
    /// never longer than the credential. A refusal is counted or recorded already.
    ///
    /// # Errors
    /// [`Code::Unauthenticated`], [`Code::InvalidScope`], [`Code::NoCredentials`], and those of the store.
    pub async fn issue_access_token(
        &self,
        client: Option<ClientCredentials>,
        request: &Arc<RequestInfo>,
    ) -> Result<TokenGrant<'_>, Error> {
        match self.for_client(client).await {
            Ok(issue) => Ok(TokenGrant::new(self, issue, request)),
            Err(refused) => Err(self.refuse_token(Action::AuthTokenIssue, refused, request).await),
        }
    }

    async fn for_client(&self, client: Option<ClientCredentials>) -> Result<Issue, Refused> {
        let client = client.ok_or_else(invalid_client)?;
        let maker = &self.credentials()?.maker;
        let found: Option<AccessCredential> = self.object_by_handle(None, &client.key).await?;
        let credential = found.ok_or_else(invalid_client)?;
        let resource = Resource {
            kind: ResourceKind::AccessCredential,
            identity: credential.id.to_string(),
            id: Some(credential.id.uuid()),
            version: None,
        };
        let organisation = credential.organisation;
        let refuse = |error: Error| Refused::of(organisation, Some(resource.clone()), error);
        if !maker.is_secret_of(&credential, &client.secret) {
            return Err(refuse(invalid_client().decided_by("wrong_secret")));
        }
        let now = self.ports.clock.now();
        let end = credential.expires.as_ref().map(|expiry| expiry.at);
        let (issued_at, expires_at) =
            span(now, LIFETIME, end).ok_or_else(|| refuse(invalid_client().decided_by("expired")))?;
        let scopes = narrowed(&credential.scopes, &client.scopes).map_err(refuse)?;
        let claims = AccessClaims {
            principal: Principal::ServiceAccount(credential.service_account),
            organisation,
            credential: credential.id,
            scopes,
            project: None,
            issued_at,
            expires_at,
        };
        Ok(Issue { action: Action::AuthTokenIssue, claims, resource })
    }
}
