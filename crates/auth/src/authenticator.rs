//! From a token to its caller.

use async_trait::async_trait;
use quick_cache::sync::Cache;
use std::sync::Arc;
use strongroom_domain::iam::{Grants, Rule};
use strongroom_domain::id::RuleId;
use strongroom_domain::policy::PolicySubject;
use strongroom_domain::port::{AuthenticateError, Authenticator, Credential, KeyedDigest, TokenReader};
use strongroom_domain::principal::{Caller, Membership, Principal, Token};
use strongroom_domain::time::Timestamp;
use subtle::ConstantTimeEq;

/// How long a token that was read serves without the store: other nodes' changes show within it.
const MAX_AGE_MICROS: u64 = 1_000_000;
/// How many tokens are kept.
const MAX_TOKENS: usize = 10_000;

/// A token as it was read, with the caller made of it.
struct Known {
    token: Token,
    caller: Arc<Caller>,
    read_at: Timestamp,
}

impl Known {
    fn is_fresh(&self, at: Timestamp) -> bool {
        // A clock that went back says nothing of the age.
        at >= self.read_at && at.micros_since(self.read_at) < MAX_AGE_MICROS
    }
}

/// Authenticates opaque tokens by their keyed digest.
///
/// A yes may come from memory and be a second old; before a no, the store is read.
pub struct TokenAuthenticator {
    tokens: Arc<dyn TokenReader>,
    digest: Arc<dyn KeyedDigest>,
    /// By digest, which nobody can aim at without its key. Only tokens that the store gave.
    known: Cache<[u8; 32], Arc<Known>>,
}

impl TokenAuthenticator {
    /// Authenticates by the tokens of a store; `digest` is the one that they were stored with.
    #[must_use]
    pub fn new(tokens: Arc<dyn TokenReader>, digest: Arc<dyn KeyedDigest>) -> Self {
        Self { tokens, digest, known: Cache::new(MAX_TOKENS) }
    }

    async fn by_token(&self, token: &[u8], at: Timestamp) -> Result<Arc<Caller>, AuthenticateError> {
        let digest = self.digest.digest(token);
        let known = self.known.get(&digest);
        if let Some(known) = &known
            && known.is_fresh(at)
            && stands(&known.token, &digest, at)
        {
            return Ok(Arc::clone(&known.caller));
        }
        let read = self.tokens.by_digest(&digest).await.map_err(AuthenticateError::unavailable)?;
        let Some(token) = read.filter(|token| stands(token, &digest, at)) else {
            self.known.remove(&digest);
            return Err(AuthenticateError::Refused);
        };
        let caller = match known {
            Some(known) if known.token == token => Arc::clone(&known.caller),
            _ => Arc::new(caller_of(&token)),
        };
        self.known.insert(digest, Arc::new(Known { token, caller: Arc::clone(&caller), read_at: at }));
        Ok(caller)
    }
}

#[async_trait]
impl Authenticator for TokenAuthenticator {
    async fn authenticate(&self, credential: &Credential, at: Timestamp) -> Result<Arc<Caller>, AuthenticateError> {
        match credential {
            Credential::Token(token) => self.by_token(token.expose(), at).await,
            // There are no service accounts, so no store could know one.
            Credential::AccessKey { .. } => Err(AuthenticateError::Refused),
        }
    }
}

/// Whether this is the token of that digest, and its time hasn't ended.
fn stands(token: &Token, digest: &[u8; 32], at: Timestamp) -> bool {
    bool::from(token.digest.ct_eq(digest)) && token.expires_at.is_none_or(|end| at < end)
}

/// An administrator in the token's organisation. The rule that says so is stored nowhere; it bears the token's id, so that the audit
/// log leads from a decision to the token.
fn caller_of(token: &Token) -> Caller {
    let everything = Rule::everything(RuleId::new(token.id.uuid()));
    Caller {
        principal: Principal::User(token.user),
        credential: token.id,
        scopes: token.scopes,
        memberships: vec![Membership {
            organisation: token.organisation,
            grants: Arc::new(Grants::compile([everything])),
        }],
        subject: PolicySubject { user: Some(token.user.to_string()), ..PolicySubject::default() },
    }
}

#[cfg(test)]
mod tests;
