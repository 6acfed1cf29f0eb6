//! Personal access tokens: opaque tokens of users, shown once.
//!
//! A token is never more than the credential that makes it: it has no scope that this lacks, ends no later when this is a token that
//! ends, and acts in no other organisation when this is bound to one. A token that is bound to an organisation sees, makes and deletes
//! only tokens that are bound to it too, while its user is a member there.

mod create;
mod delete;
mod list;

pub use create::CreatePersonalToken;
pub use delete::DeletePersonalToken;

use super::me::IdentitySession;
use crate::audit::Place;
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::Identified;
use std::sync::{Mutex, PoisonError};
use strongroom_domain::audit::{Action, AuditRecord, Resource, ResourceKind};
use strongroom_domain::directory::{Expiry, Scopes};
use strongroom_domain::id::{CredentialId, OrganisationId, UserId};
use strongroom_domain::metadata::check_name;
use strongroom_domain::port::{AuthenticateError, NewToken};
use strongroom_domain::principal::{Principal, Reach, Token, TokenHolder};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::Change;
use strongroom_domain::value::SecretBytes;

/// The most tokens of a user that are bound to one organisation, and the most that are bound to none.
const MAX_TOKENS: usize = 100;

/// A token to be made. A user has at most 100 that are bound to one organisation, and 100 that are bound to none; one more is
/// [`Code::InvalidRequest`].
#[derive(Clone, Debug, Default)]
pub struct NewPersonalToken {
    /// What it is called: 1 to 255 characters, none of them a control character, and not only spaces; else [`Code::InvalidRequest`]. Names
    /// may repeat.
    pub name: String,
    /// What it shall allow: no scope that the credential which makes it lacks, else [`Code::Escalation`]. An empty list stands for both that
    /// open this API.
    pub scopes: Scopes,
    /// The moment from which on it opens nothing; `None` for never. One that is over is [`Code::InvalidRequest`]; one later than the end of the
    /// token that makes it, or none where that one ends, is [`Code::Escalation`], unless an owner makes it for somebody else.
    pub expires: Option<Expiry>,
}

/// A token that was made.
pub struct IssuedPersonalToken {
    /// What is kept of it.
    pub token: Token,
    /// The token itself; it can't be had again.
    pub secret: SecretBytes,
}

/// Of a token, as far as it is known which.
fn resource(id: Option<CredentialId>) -> Resource {
    let identity = id.map(|id| id.to_string()).unwrap_or_default();
    Resource { kind: ResourceKind::PersonalToken, identity, id: id.map(CredentialId::uuid), version: None }
}

fn escalation(message: impl Into<String>) -> Error {
    Error::new(Code::Escalation, message)
}

impl Engine {
    /// Checks what is asked for: by itself, and against what the credential that asks may do.
    pub(crate) fn check_personal_token(&self, call: &Identified, new: &NewPersonalToken) -> Result<(), Error> {
        check_name(&new.name)?;
        if new.expires.as_ref().is_some_and(|expiry| expiry.is_over(self.ports.clock.now())) {
            return Err(Error::new(Code::InvalidRequest, "`expiresAt` is over already; give a later time, or none."));
        }
        let (wanted, held) = (new.scopes.allowed(), call.caller().scopes);
        for (is_wanted, is_held, scope) in
            [(wanted.read, held.read, "api:read"), (wanted.write, held.write, "api:write")]
        {
            if is_wanted && !is_held {
                return Err(escalation(format!(
                    "`scopes`: the token would have `{scope}`, which the credential that makes it lacks; name only what it has."
                )));
            }
        }
        Ok(())
    }

    /// Refuses a token that would outlive the one that makes it.
    pub(crate) async fn check_end(&self, call: &Identified, new: &NewPersonalToken) -> Result<(), Error> {
        match self.end_of_credential(call).await? {
            Some(end) if new.expires.as_ref().is_none_or(|expiry| expiry.at > end.at) => Err(escalation(format!(
                "`expiresAt`: the token that makes this one ends at {}; name that time, or an earlier one.",
                end.text
            ))),
            _ => Ok(()),
        }
    }

    /// When the token that the user shows ends, if it is a token that does.
    async fn end_of_credential(&self, call: &Identified) -> Result<Option<Expiry>, Error> {
        let caller = call.caller();
        let (Principal::User(user), Reach::Memberships | Reach::Only(_)) = (caller.principal, &caller.reach) else {
            return Ok(None);
        };
        let tokens = self.credentials()?.tokens.of_user(user).await?;
        match tokens.into_iter().find(|token| token.id == caller.credential) {
            Some(token) => Ok(token.expires),
            // Who logged in elsewhere shows no token of ours.
            None if caller.credential.uuid() == user.uuid() => Ok(None),
            None => Err(AuthenticateError::Refused.into()),
        }
    }

    /// Makes a token, to be stored.
    pub(crate) fn make_personal_token(
        &self,
        user: UserId,
        organisation: Option<OrganisationId>,
        new: &NewPersonalToken,
        at: Timestamp,
    ) -> Result<IssuedPersonalToken, Error> {
        let NewToken { token: secret, digest, digest_key_version } = self.credentials()?.maker.token()?;
        let token = Token {
            id: CredentialId::new(self.ports.ids.next()),
            digest,
            digest_key_version,
            holder: TokenHolder::User(user),
            organisation,
            name: new.name.clone(),
            scopes: new.scopes.clone(),
            created_at: at,
            expires: new.expires.clone(),
        };
        Ok(IssuedPersonalToken { token, secret })
    }

    /// Refuses one token more than a user may have. Each organisation has a number of its own: what is bound to others, it neither sees
    /// nor deletes.
    pub(crate) async fn check_room(&self, user: UserId, organisation: Option<OrganisationId>) -> Result<(), Error> {
        let tokens = self.credentials()?.tokens.of_user(user).await?;
        if tokens.iter().filter(|token| token.organisation == organisation).count() < MAX_TOKENS {
            return Ok(());
        }
        Err(Error::new(
            Code::InvalidRequest,
            format!("There are {MAX_TOKENS} personal access tokens already; delete those that nobody uses any more."),
        ))
    }

    /// The tokens of a user that are bound to this organisation; none where the program around the engine settles callers.
    pub(crate) async fn bound_tokens(&self, organisation: OrganisationId, user: UserId) -> Result<Vec<Token>, Error> {
        let Some(credentials) = &self.ports.credentials else { return Ok(Vec::new()) };
        let mut tokens = credentials.tokens.of_user(user).await?;
        tokens.retain(|token| token.organisation == Some(organisation));
        Ok(tokens)
    }

    /// The caller's tokens, as far as their credential reaches.
    async fn tokens_of(&self, owner: Owner) -> Result<Vec<Token>, Error> {
        match owner.organisation {
            Some(organisation) => self.bound_tokens(organisation, owner.user).await,
            None => Ok(self.credentials()?.tokens.of_user(owner.user).await?),
        }
    }

    /// The user who calls, when their credential stands.
    async fn token_owner(&self, session: &IdentitySession) -> Result<Owner, Error> {
        let owner = session.token_owner()?;
        self.check_member(owner).await?;
        Ok(owner)
    }

    /// Refuses a credential that is bound to an organisation which its user has left.
    async fn check_member(&self, owner: Owner) -> Result<(), Error> {
        if let Some(organisation) = owner.organisation
            && self.member(organisation, owner.user).await?.is_none()
        {
            return Err(no_member());
        }
        Ok(())
    }

    /// The records of what was done to a token: one in each organisation that it reaches.
    async fn token_records(
        &self,
        session: &IdentitySession,
        token: &Token,
        at: Timestamp,
        (action, status): (Action, u16),
    ) -> Result<Vec<AuditRecord>, Error> {
        let mut reached = vec![token.organisation];
        if let (TokenHolder::User(user), None) = (token.holder, token.organisation) {
            let memberships = self.memberships(user).await?;
            if !memberships.is_empty() {
                reached = memberships.iter().map(|member| Some(member.organisation)).collect();
            }
        }
        let record = |organisation| {
            let recorder = session.call.recorder(self, organisation, Place::default());
            recorder.success(at, action, resource(Some(token.id)), None, status)
        };
        Ok(reached.into_iter().map(record).collect())
    }
}

fn no_member() -> Error {
    Error::new(
        Code::OrganisationDenied,
        "The token is bound to an organisation of which you are no member any more; use another one.",
    )
}

/// Tokens that a change takes away. On this node they open nothing once it was tried, also when it can't be told whether the store has
/// it.
#[derive(Default)]
pub(crate) struct TakenAway(Mutex<Vec<Token>>);

impl TakenAway {
    /// The changes that delete them.
    pub(crate) fn delete(&self, tokens: Vec<Token>) -> Vec<Change> {
        let changes = tokens.iter().map(|token| Change::DeleteToken { id: token.id }).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(tokens);
        changes
    }

    /// To be called once the change was tried.
    pub(crate) fn forget(self, engine: &Engine) {
        for token in self.0.into_inner().unwrap_or_else(PoisonError::into_inner) {
            engine.ports.authenticator.forget(&token);
        }
    }
}

/// Whose tokens a call is about.
#[derive(Clone, Copy)]
struct Owner {
    user: UserId,
    /// To which the credential is bound.
    organisation: Option<OrganisationId>,
}

impl IdentitySession {
    /// The user who calls; nobody else has personal access tokens.
    fn token_owner(&self) -> Result<Owner, Error> {
        let caller = self.caller();
        match (caller.principal, &caller.reach) {
            (Principal::User(user), Reach::Memberships) => Ok(Owner { user, organisation: None }),
            (Principal::User(user), Reach::Only(only)) => Ok(Owner { user, organisation: Some(*only) }),
            _ => Err(Error::new(
                Code::Forbidden,
                "Only users have personal access tokens; a service account has access credentials.",
            )),
        }
    }
}
