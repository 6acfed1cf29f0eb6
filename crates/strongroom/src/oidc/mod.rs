//! Access tokens for workloads: for an access credential, or in exchange for the token of another issuer.

mod client_credentials;
mod discovery;
mod exchange;
mod grant;
mod refusal;
mod span;

pub use client_credentials::ClientCredentials;
pub use discovery::Discovery;
pub use exchange::{MAX_LIFETIME, MIN_LIFETIME, TokenExchange};
pub use grant::TokenGrant;

use crate::error::{Code, Error};
use strongroom_domain::directory::Scopes;
use strongroom_domain::port::TokenIssuerError;
use strongroom_domain::principal::CredentialScopes;
use strongroom_domain::value::SecretBytes;

/// An access token. It is recorded already.
pub struct IssuedAccessToken {
    /// The token.
    pub token: SecretBytes,
    /// How long it can be used from now on, in seconds.
    pub expires_in: u64,
    /// What it allows.
    pub scopes: CredentialScopes,
}

/// What of a credential's scopes a token gets: all, unless some are asked for.
fn narrowed(held: &Scopes, wanted: &[String]) -> Result<CredentialScopes, Error> {
    if wanted.is_empty() {
        return Ok(held.allowed());
    }
    let refuse = |message: &str| Error::new(Code::InvalidScope, message);
    let wanted = Scopes::new(wanted.to_vec()).map_err(|_| {
        refuse("`scope` names a scope that does not exist; there are `api:read`, `api:write`, `kubernetes`, `objectStorage`.")
    })?;
    let (all, allowed) = (held.as_slice(), held.allowed());
    let has = |scope: &String| match scope.as_str() {
        "api:read" => allowed.read,
        "api:write" => allowed.write,
        _ => all.contains(scope),
    };
    if wanted.as_slice().iter().all(has) {
        Ok(wanted.allowed())
    } else {
        Err(refuse("`scope` names a scope that the credential lacks; leave it out for all that it has."))
    }
}

impl From<TokenIssuerError> for Error {
    fn from(error: TokenIssuerError) -> Self {
        Self::new(Code::Internal, "No access token can be made; tell the operator.").because(error)
    }
}

#[cfg(test)]
mod tests {
    use super::narrowed;
    use crate::error::Code;
    use strongroom_domain::directory::Scopes;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn scopes_are_narrowed_and_never_widened() {
        let narrow = |held: &[&str], wanted: &[&str]| {
            let held = Scopes::new(texts(held)).expect("known");
            narrowed(&held, &texts(wanted)).map(|it| (it.read, it.write)).map_err(|error| error.code())
        };
        assert_eq!(narrow(&[], &[]), Ok((true, true)));
        assert_eq!(narrow(&[], &["api:read"]), Ok((true, false)));
        assert_eq!(narrow(&["api:read", "api:write"], &["api:write", "api:write"]), Ok((false, true)));
        assert_eq!(narrow(&["api:read", "kubernetes"], &["kubernetes"]), Ok((false, false)));
        for (held, wanted) in [
            (&["api:read"][..], &["api:write"][..]),
            (&["api:read"], &["api:read", "api:write"]),
            (&[], &["kubernetes"]),
            (&["kubernetes"], &["api:read"]),
            (&[], &["openid"]),
            (&[], &[""]),
        ] {
            assert_eq!(narrow(held, wanted), Err(Code::InvalidScope), "{held:?} {wanted:?}");
        }
    }
}
