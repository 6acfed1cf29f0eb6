use super::{Owner, resource};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::iam::me::IdentitySession;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::id::CredentialId;
use strongroom_domain::unit::{Change, Unit};

const ACTION: Action = Action::IamPersonalTokenDelete;

/// Deletes a personal access token of the caller; on this node it opens nothing from then on.
pub struct DeletePersonalToken<'a> {
    engine: &'a Engine,
    session: &'a IdentitySession,
    owner: Owner,
    token: Option<CredentialId>,
}

fn target(token: Option<CredentialId>) -> Resource {
    Resource { id: None, ..resource(token) }
}

impl Engine {
    /// Checks that the caller may have tokens.
    ///
    /// # Errors
    /// [`Code::Forbidden`] for who is no user, [`Code::OrganisationDenied`] for a token of an organisation that they have left.
    pub async fn delete_personal_token<'a>(
        &'a self,
        session: &'a IdentitySession,
        token: &str,
    ) -> Result<DeletePersonalToken<'a>, Error> {
        let token = token.parse().ok();
        match self.token_owner(session).await {
            Ok(owner) => Ok(DeletePersonalToken { engine: self, session, owner, token }),
            Err(error) => Err(session.failed(self, ACTION, target(token), error).await),
        }
    }
}

impl DeletePersonalToken<'_> {
    /// Deletes it.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`] for a token that is not the caller's, or not within reach of the credential that they show; and those of
    /// the store.
    pub async fn run(self) -> Result<(), Error> {
        match self.delete().await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.session.failed(self.engine, ACTION, target(self.token), error).await),
        }
    }

    async fn delete(&self) -> Result<(), Error> {
        let engine = self.engine;
        let tokens = engine.tokens_of(self.owner).await?;
        let token = tokens.into_iter().find(|token| Some(token.id) == self.token).ok_or_else(|| {
            Error::new(Code::ObjectNotFound, "You have no such personal access token; check its identity.")
        })?;
        let records = engine.token_records(self.session, &token, engine.ports.clock.now(), (ACTION, 204)).await?;
        let changes = vec![Change::DeleteToken { id: token.id }];
        let outcome = engine.ports.committer.commit(Unit { changes, records, ..Unit::default() }).await;
        // Also when it can't be told whether the store has it yet.
        engine.ports.authenticator.forget(&token);
        Ok(outcome?)
    }
}
