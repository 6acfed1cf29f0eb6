//! Authentication of callers.
//!
//! [`StoreAuthenticator`] tells who calls: by an opaque token or an access key, which the store knows only by keyed digests, by an
//! access token that [`AccessTokens`] signed, or by the token of an issuer that the operator trusts with logins.
//! [`ForeignTokenVerifier`] verifies the tokens of other issuers against their published keys, which a [`JwksFetcher`] gets.

mod access_credential;
mod access_tokens;
mod authenticator;
mod claims;
mod foreign;
mod jwt;
mod maker;
#[cfg(test)]
mod test_support;
mod token;

pub use access_credential::{IssuedAccessCredential, issue_access_credential, verify_secret};
pub use access_tokens::{AccessTokenPorts, AccessTokens};
pub use authenticator::{AuthenticatorPorts, LoginIssuer, StoreAuthenticator};
#[cfg(feature = "fetch")]
pub use foreign::HttpsJwksFetcher;
pub use foreign::{FetchError, FetchRules, ForeignTokenVerifier, JwksFetcher, MAX_JWKS_LEN};
pub use maker::StoreCredentialMaker;
pub use token::{IssuedToken, OPERATOR_TOKEN_PREFIX, TOKEN_PREFIX, issue_operator_token, issue_token};
