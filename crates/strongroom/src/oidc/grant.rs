use super::IssuedAccessToken;
use super::refusal::Refused;
use crate::audit::Place;
use crate::engine::Engine;
use crate::error::Error;
use crate::session::{Identified, Target};
use std::sync::Arc;
use strongroom_domain::audit::{Action, RequestInfo, Resource};
use strongroom_domain::port::AccessClaims;
use strongroom_domain::principal::{Caller, Reach};
use strongroom_domain::unit::Unit;

/// What a token is to say, and what the log says of it.
pub(super) struct Issue {
    pub(super) action: Action,
    pub(super) claims: AccessClaims,
    pub(super) resource: Resource,
}

/// A token that may be issued: the client has shown the right secret, or a token that is taken for one.
pub struct TokenGrant<'a> {
    engine: &'a Engine,
    call: Identified,
    issue: Issue,
}

impl<'a> TokenGrant<'a> {
    pub(super) fn new(engine: &'a Engine, issue: Issue, request: &Arc<RequestInfo>) -> Self {
        let claims = &issue.claims;
        let reach = Reach::Only(claims.organisation);
        let caller = Caller::new(claims.principal, claims.credential, claims.scopes, reach);
        Self { engine, call: Identified::new(Arc::new(caller), Arc::clone(request)), issue }
    }

    /// Who asks, so that an adapter can refuse those who ask too often.
    #[must_use]
    pub const fn call(&self) -> &Identified {
        &self.call
    }

    /// What is tried, for the record of such a refusal.
    #[must_use]
    pub fn target(&self) -> Target<'_> {
        let resource = (self.issue.resource.kind, self.issue.resource.identity.as_str());
        Target { action: self.issue.action, resource: Some(resource) }
    }

    /// Signs the token, and gives it once the record of it is durable. A failure is counted or recorded already.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn run(self) -> Result<IssuedAccessToken, Error> {
        match self.sign_and_record().await {
            Ok(issued) => Ok(issued),
            Err(error) => {
                let Self { engine, call, issue } = self;
                let refused = Refused::of(issue.claims.organisation, Some(issue.resource), error);
                Err(engine.refuse_token(issue.action, refused, &call.request).await)
            }
        }
    }

    async fn sign_and_record(&self) -> Result<IssuedAccessToken, Error> {
        let Self { engine, call, issue: Issue { action, claims, resource } } = self;
        let token = engine.credentials()?.issuer.issue(claims)?;
        let recorder = call.recorder(engine, Some(claims.organisation), Place::default());
        let record = recorder.success(engine.ports.clock.now(), *action, resource.clone(), None, 200);
        engine.ports.committer.commit(Unit { records: vec![record], ..Unit::default() }).await?;
        let expires_in = claims.expires_at.micros_since(claims.issued_at) / 1_000_000;
        Ok(IssuedAccessToken { token, expires_in, scopes: claims.scopes })
    }
}
