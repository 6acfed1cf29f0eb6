//! Reading what a client asks the token endpoint for.

use super::lifetime;
use crate::auth;
use crate::failure::{Failure, HttpCode};
use crate::form::{Form, decode};
use http::HeaderMap;
use strongroom::oidc::{ClientCredentials, TokenExchange};
use strongroom_domain::port::Credential;
use strongroom_domain::value::SecretBytes;

pub(crate) const CLIENT_CREDENTIALS: &str = "client_credentials";
pub(crate) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const SUBJECT_TOKENS: [&str; 2] = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];

/// What a client asks for.
pub(super) enum TokenRequest {
    /// A token for an access credential; `None` when the client doesn't say who it is.
    Client(Option<ClientCredentials>),
    /// A token in exchange for another issuer's.
    Exchange(TokenExchange),
}

pub(super) fn read(headers: &HeaderMap, form: &Form) -> Result<TokenRequest, Failure> {
    let scopes = form.get("scope").unwrap_or_default().split(' ').filter(|scope| !scope.is_empty());
    let scopes: Vec<String> = scopes.map(str::to_owned).collect();
    match form.required("grant_type")? {
        CLIENT_CREDENTIALS => client(headers, form, scopes).map(TokenRequest::Client),
        TOKEN_EXCHANGE => exchange(form, scopes).map(TokenRequest::Exchange),
        _ => Err(Failure::new(
            HttpCode::UnsupportedGrantType,
            format!("`grant_type` is `{CLIENT_CREDENTIALS}` or `{TOKEN_EXCHANGE}`."),
        )),
    }
}

/// The client's id and secret: from the header, where each is escaped like a form's value, or from the form.
fn client(headers: &HeaderMap, form: &Form, scopes: Vec<String>) -> Result<Option<ClientCredentials>, Failure> {
    let (id, secret) = (form.get("client_id"), form.get("client_secret"));
    if let Some(Credential::AccessKey { key, secret: escaped }) = auth::credential(headers) {
        let plain = decode(key.as_bytes()).and_then(|key| core::str::from_utf8(&key).ok().map(str::to_owned));
        let (Some(key), Some(plain_secret)) = (plain, decode(escaped.expose())) else { return Ok(None) };
        if secret.is_some() || id.is_some_and(|id| id != key) {
            return Err(Failure::invalid(
                "The client says who it is in the header and in the form; keep `Authorization: Basic`, or `client_id` and `client_secret`.",
            ));
        }
        return Ok(Some(ClientCredentials { key, secret: SecretBytes::new(plain_secret), scopes }));
    }
    let (Some(id), Some(secret)) = (id, secret) else { return Ok(None) };
    Ok(Some(ClientCredentials { key: id.to_owned(), secret: SecretBytes::copy_of(secret.as_bytes()), scopes }))
}

fn exchange(form: &Form, scopes: Vec<String>) -> Result<TokenExchange, Failure> {
    let kind = form.required("subject_token_type")?;
    if !SUBJECT_TOKENS.contains(&kind) {
        let message = format!("`subject_token_type` is `{}` or `{}`.", SUBJECT_TOKENS[0], SUBJECT_TOKENS[1]);
        return Err(Failure::new(HttpCode::UnsupportedTokenType, message));
    }
    if form.get("requested_token_type").is_some_and(|kind| kind != ACCESS_TOKEN) {
        let message = format!("`requested_token_type` is `{ACCESS_TOKEN}`; leave it out.");
        return Err(Failure::new(HttpCode::UnsupportedTokenType, message));
    }
    if form.get("actor_token").is_some() {
        return Err(Failure::invalid("`actor_token` is not supported; leave it out."));
    }
    let lifetime = match form.get("access_token_lifetime") {
        None => None,
        Some(text) => Some(lifetime::read(text).ok_or_else(|| {
            Failure::invalid(
                "`access_token_lifetime` is a number of seconds, or a duration such as `3600s` or `1h30m`.",
            )
        })?),
    };
    Ok(TokenExchange {
        subject_token: SecretBytes::copy_of(form.required("subject_token")?.as_bytes()),
        organisation: form.required("organisation_id")?.to_owned(),
        service_account: form.required("service_account_id")?.to_owned(),
        lifetime,
        scopes,
    })
}
