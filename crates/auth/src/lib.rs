//! Authentication of callers: opaque tokens, which the store knows only by a keyed digest.

mod authenticator;
mod token;

pub use authenticator::TokenAuthenticator;
pub use token::{IssuedToken, TOKEN_PREFIX, issue_token};
