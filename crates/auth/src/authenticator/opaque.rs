use super::{MAX_KNOWN, is_fresh};
use quick_cache::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use strongroom_domain::port::{AuthenticateError, KeyedDigest, TokenReader};
use strongroom_domain::principal::{Caller, Principal, Reach, Token, TokenHolder};
use strongroom_domain::time::Timestamp;
use subtle::ConstantTimeEq;

/// A token as it was read, with the caller made of it.
struct Known {
    token: Token,
    caller: Arc<Caller>,
    read_at: Timestamp,
    /// How many tokens were forgotten before it was read.
    forgotten: u64,
}

/// Opaque tokens, looked up by their keyed digest.
pub(super) struct OpaqueTokens {
    tokens: Arc<dyn TokenReader>,
    digest: Arc<dyn KeyedDigest>,
    /// By digest, which nobody can aim at without its key. Only tokens that the store gave.
    known: Cache<[u8; 32], Arc<Known>>,
    /// Counts forgotten tokens: what was read before the last of them serves no more, also when it is kept only afterwards.
    forgotten: AtomicU64,
}

impl OpaqueTokens {
    pub(super) fn new(tokens: Arc<dyn TokenReader>, digest: Arc<dyn KeyedDigest>) -> Self {
        Self { tokens, digest, known: Cache::new(MAX_KNOWN), forgotten: AtomicU64::new(0) }
    }

    pub(super) fn forget(&self, token: &Token) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.known.remove(&token.digest);
    }

    pub(super) async fn find(&self, token: &[u8], at: Timestamp) -> Result<Arc<Caller>, AuthenticateError> {
        let digest = self.digest.digest(token);
        let known = self.known.get(&digest);
        let forgotten = self.forgotten.load(Ordering::SeqCst);
        if let Some(known) = &known
            && known.forgotten == forgotten
            && is_fresh(known.read_at, at)
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
        let known = Known { token, caller: Arc::clone(&caller), read_at: at, forgotten };
        self.known.insert(digest, Arc::new(known));
        Ok(caller)
    }
}

/// Whether this is the token of that digest, and its time hasn't ended.
fn stands(token: &Token, digest: &[u8; 32], at: Timestamp) -> bool {
    bool::from(token.digest.ct_eq(digest)) && !token.is_over(at)
}

fn caller_of(token: &Token) -> Caller {
    let (principal, reach) = match (token.holder, token.organisation) {
        (TokenHolder::User(user), None) => (Principal::User(user), Reach::Memberships),
        (TokenHolder::User(user), Some(organisation)) => (Principal::User(user), Reach::Only(organisation)),
        (TokenHolder::Operator, _) => (Principal::Operator(token.id), Reach::Given(Vec::new())),
    };
    Caller::new(principal, token.id, token.scopes.allowed(), reach)
}
