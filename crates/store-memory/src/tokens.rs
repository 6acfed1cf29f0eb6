use std::collections::{BTreeMap, BTreeSet};
use strongroom_domain::id::{CredentialId, UserId};
use strongroom_domain::principal::{Token, TokenHolder};
use uuid::Uuid;

const fn user_of(token: &Token) -> Option<UserId> {
    match token.holder {
        TokenHolder::User(user) => Some(user),
        TokenHolder::Operator => None,
    }
}

/// All opaque tokens.
#[derive(Default)]
pub(crate) struct Tokens {
    tokens: BTreeMap<CredentialId, Token>,
    by_digest: BTreeMap<[u8; 32], CredentialId>,
    by_user: BTreeSet<(UserId, CredentialId)>,
}

impl Tokens {
    /// Whether one of them has this identity, or this digest.
    pub(crate) fn has(&self, id: CredentialId, digest: &[u8; 32]) -> bool {
        self.tokens.contains_key(&id) || self.by_digest.contains_key(digest)
    }

    pub(crate) fn insert(&mut self, token: Token) {
        self.by_digest.insert(token.digest, token.id);
        self.by_user.extend(user_of(&token).map(|user| (user, token.id)));
        self.tokens.insert(token.id, token);
    }

    pub(crate) fn remove(&mut self, id: CredentialId) -> Option<Token> {
        let token = self.tokens.remove(&id)?;
        self.by_digest.remove(&token.digest);
        if let Some(user) = user_of(&token) {
            self.by_user.remove(&(user, id));
        }
        Some(token)
    }

    pub(crate) fn by_digest(&self, digest: &[u8; 32]) -> Option<&Token> {
        self.tokens.get(self.by_digest.get(digest)?)
    }

    /// In the order of their identities.
    pub(crate) fn of_user(&self, user: UserId) -> impl Iterator<Item = &Token> {
        let first = (user, CredentialId::new(Uuid::nil()));
        let entries = self.by_user.range(first..).take_while(move |entry| entry.0 == user);
        entries.filter_map(|entry| self.tokens.get(&entry.1))
    }
}
