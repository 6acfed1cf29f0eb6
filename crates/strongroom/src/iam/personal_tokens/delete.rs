use super::{Owner, resource};
use crate::engine::{Engine, MAX_TRIES};
use crate::error::{Code, Error, busy};
use crate::iam::me::IdentitySession;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::id::{CredentialId, OrganisationId};
use strongroom_domain::port::{CommitError, CommitErrorKind, Freshness};
use strongroom_domain::principal::Token;
use strongroom_domain::unit::{AggregateId, Change, Expect, Unit};

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
        let organisation = self.find().await?.organisation;
        let _turn = match organisation {
            Some(organisation) => Some(engine.queue(organisation).await),
            None => None,
        };
        for attempt in 0..MAX_TRIES {
            if attempt > 0 {
                engine.back_off(attempt).await?;
            }
            match self.attempt(organisation).await? {
                Err(error) if matches!(error.kind(), CommitErrorKind::Conflict(_)) => {}
                outcome => return Ok(outcome?),
            }
        }
        Err(busy())
    }

    async fn attempt(&self, organisation: Option<OrganisationId>) -> Result<Result<(), CommitError>, Error> {
        let engine = self.engine;
        let known = match organisation {
            Some(organisation) => engine.cache.organisation(organisation, Freshness::Latest).await?,
            None => None,
        };
        let token = self.find().await?;
        let (mut expect, mut changes) = (Vec::new(), vec![Change::DeleteToken { id: token.id }]);
        // So that the token doesn't make another one while it goes: whoever makes one expects the revision too.
        if let Some(known) = known {
            expect.push(Expect::Revision(AggregateId::Organisation(known.id), known.revision));
            changes.push(Change::ReviseOrganisation { organisation: known.id, revision: known.revision.next() });
        }
        let records = engine.token_records(self.session, &token, engine.ports.clock.now(), (ACTION, 204)).await?;
        let outcome = engine.ports.committer.commit(Unit { expect, changes, records }).await;
        // Also when it can't be told whether the store has it yet.
        engine.ports.authenticator.forget(&token);
        if let Some(organisation) = organisation {
            engine.cache.forget_organisation(organisation);
        }
        Ok(outcome)
    }

    async fn find(&self) -> Result<Token, Error> {
        let tokens = self.engine.tokens_of(self.owner).await?;
        tokens.into_iter().find(|token| Some(token.id) == self.token).ok_or_else(|| {
            Error::new(Code::ObjectNotFound, "You have no such personal access token; check its identity.")
        })
    }
}
