//! Opaque tokens.

use super::{at, number, organisation};
use crate::error::corrupt;
use strongroom_domain::directory::{Expiry, Scopes};
use strongroom_domain::id::{CredentialId, UserId};
use strongroom_domain::port::ReadError;
use strongroom_domain::principal::{Token, TokenHolder};
use uuid::Uuid;

const USER: &str = "user";
const OPERATOR: &str = "operator";

/// The columns `holder` and `user_id`.
pub(crate) const fn holder_columns(holder: TokenHolder) -> (&'static str, Uuid) {
    match holder {
        TokenHolder::User(id) => (USER, id.uuid()),
        TokenHolder::Operator => (OPERATOR, Uuid::nil()),
    }
}

/// Scopes in one text; their names hold no spaces.
pub(crate) fn scopes_column(scopes: &Scopes) -> String {
    scopes.as_slice().join(" ")
}

/// A token's columns, without its digest.
pub(crate) struct TokenRow {
    pub(crate) id: Uuid,
    pub(crate) digest_key_version: i64,
    pub(crate) holder: String,
    pub(crate) user_id: Uuid,
    pub(crate) organisation: Uuid,
    pub(crate) name: String,
    pub(crate) scopes: String,
    pub(crate) created_at: i64,
    pub(crate) expires_at: Option<i64>,
    pub(crate) expires: Option<String>,
}

impl TokenRow {
    pub(crate) fn read(self, digest: [u8; 32]) -> Result<Token, ReadError> {
        let holder = match self.holder.as_str() {
            USER => TokenHolder::User(UserId::new(self.user_id)),
            OPERATOR => TokenHolder::Operator,
            _ => return Err(corrupt("token")),
        };
        let scopes = self.scopes.split_whitespace().map(str::to_owned).collect();
        let expires = match (self.expires_at.map(at), self.expires) {
            (None, None) => None,
            (Some(at), Some(text)) => Some(Expiry { at, text }),
            // Before the text was kept.
            (Some(at), None) => Some(Expiry { at, text: at.to_rfc3339() }),
            (None, Some(_)) => return Err(corrupt("token")),
        };
        Ok(Token {
            id: CredentialId::new(self.id),
            digest,
            digest_key_version: number(self.digest_key_version, "token")?,
            holder,
            organisation: organisation(self.organisation),
            name: self.name,
            scopes: Scopes::new(scopes).map_err(|_| corrupt("token"))?,
            created_at: at(self.created_at),
            expires,
        })
    }
}
