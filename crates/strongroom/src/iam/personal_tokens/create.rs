use super::{IssuedPersonalToken, NewPersonalToken, Owner, no_member, resource};
use crate::engine::{Engine, MAX_TRIES};
use crate::error::{Error, busy};
use crate::iam::me::IdentitySession;
use strongroom_domain::audit::Action;
use strongroom_domain::port::{CommitError, CommitErrorKind, Freshness};
use strongroom_domain::unit::{AggregateId, Change, Expect, Unit};

const ACTION: Action = Action::IamPersonalTokenCreate;

/// Makes a personal access token of the caller.
pub struct CreatePersonalToken<'a> {
    engine: &'a Engine,
    session: &'a IdentitySession,
    owner: Owner,
}

impl Engine {
    /// Checks that the caller may have tokens.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden) for who is no user,
    /// [`Code::OrganisationDenied`](crate::Code::OrganisationDenied) for a token of an organisation that they have left.
    pub async fn create_personal_token<'a>(
        &'a self,
        session: &'a IdentitySession,
    ) -> Result<CreatePersonalToken<'a>, Error> {
        match self.token_owner(session).await {
            Ok(owner) => Ok(CreatePersonalToken { engine: self, session, owner }),
            Err(error) => Err(session.failed(self, ACTION, resource(None), error).await),
        }
    }
}

impl CreatePersonalToken<'_> {
    /// Makes it. The record is stored with the token.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`](crate::Code::InvalidRequest) for what breaks a rule and for one token too many,
    /// [`Code::Escalation`](crate::Code::Escalation) for a token that is more than the credential that makes it, and those of the store.
    pub async fn run(self, new: NewPersonalToken) -> Result<IssuedPersonalToken, Error> {
        match self.issue(&new).await {
            Ok(issued) => Ok(issued),
            Err(error) => Err(self.session.failed(self.engine, ACTION, resource(None), error).await),
        }
    }

    async fn issue(&self, new: &NewPersonalToken) -> Result<IssuedPersonalToken, Error> {
        let engine = self.engine;
        engine.check_personal_token(&self.session.call, new)?;
        // So that nobody has more than they may by asking twice at once, nor stands in the way of other changes of the directory.
        let _turn = match self.owner.organisation {
            Some(organisation) => engine.queue(organisation).await,
            None => engine.queue(self.owner.user).await,
        };
        for attempt in 0..MAX_TRIES {
            if attempt > 0 {
                engine.back_off(attempt).await?;
            }
            match self.attempt(new).await? {
                Ok(issued) => return Ok(issued),
                Err(error) if matches!(error.kind(), CommitErrorKind::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }

    async fn attempt(&self, new: &NewPersonalToken) -> Result<Result<IssuedPersonalToken, CommitError>, Error> {
        let (engine, Owner { user, organisation }) = (self.engine, self.owner);
        let (mut expect, mut changes) = (Vec::new(), Vec::new());
        // Whoever removes the user, or deletes the token that makes this one, takes away what was made before and nothing is made after.
        if let Some(organisation) = organisation {
            let known = engine.cache.organisation(organisation, Freshness::Latest).await?.ok_or_else(no_member)?;
            expect.push(Expect::Revision(AggregateId::Organisation(organisation), known.revision));
            changes.push(Change::ReviseOrganisation { organisation, revision: known.revision.next() });
        }
        engine.check_member(self.owner).await?;
        engine.check_end(&self.session.call, new).await?;
        engine.check_room(user, organisation).await?;
        let at = engine.ports.clock.now();
        let issued = engine.make_personal_token(user, organisation, new, at)?;
        changes.push(Change::InsertToken(issued.token.clone()));
        let records = engine.token_records(self.session, &issued.token, at, (ACTION, 201)).await?;
        let outcome = engine.ports.committer.commit(Unit { expect, changes, records }).await;
        if let Some(organisation) = organisation {
            engine.cache.forget_organisation(organisation);
        }
        Ok(outcome.map(|()| issued))
    }
}
