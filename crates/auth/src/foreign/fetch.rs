use super::address::is_public;
use super::fetcher::{FetchError, FetchRules, JwksFetcher, MAX_JWKS_LEN};
use super::location::{NOT_PUBLIC, check};
use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A host name that leads to an address that isn't allowed.
#[derive(Debug, thiserror::Error)]
#[error("an address that is not public")]
struct NotPublic;

/// Resolves names, and gives only addresses that are allowed: these are then connected to. A name with one that isn't is refused.
struct CheckedResolver {
    rules: FetchRules,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = self.rules;
        Box::pin(async move {
            let addresses: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if !rules.private_addresses && addresses.iter().any(|address| !is_public(address.ip())) {
                return Err(NotPublic.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Fetches keys over HTTPS, trusting the certificate authorities of the operating system (`SSL_CERT_FILE` and `SSL_CERT_DIR` name
/// others). Uses no proxy, sends no credentials, follows no redirect.
pub struct HttpsJwksFetcher {
    rules: FetchRules,
    /// Made for the first fetch, so that a system without certificate authorities can do everything else.
    client: OnceLock<Client>,
}

impl HttpsJwksFetcher {
    /// Fetches from where these rules allow.
    #[must_use]
    pub const fn new(rules: FetchRules) -> Self {
        Self { rules, client: OnceLock::new() }
    }

    fn client(&self) -> Result<&Client, FetchError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::builder()
            .user_agent("strongroom")
            .http1_only()
            .https_only(!self.rules.plain_http)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(CheckedResolver { rules: self.rules }))
            .build()
            .map_err(|_| FetchError("cannot be asked: this system has no certificate authorities".to_owned()))?;
        Ok(self.client.get_or_init(|| client))
    }
}

#[async_trait]
impl JwksFetcher for HttpsJwksFetcher {
    async fn fetch(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        // An address in the URL is connected to without asking the resolver.
        let url = check(url, self.rules).map_err(|rule| FetchError(rule.to_owned()))?;
        let mut answer = self.client()?.get(url).send().await.map_err(|error| told(&error))?;
        if answer.status().is_redirection() {
            return Err(FetchError("answers with a redirect, and none is followed".to_owned()));
        }
        if answer.status() != StatusCode::OK {
            return Err(FetchError(format!("answers with status {}", answer.status().as_u16())));
        }
        let too_large = || FetchError(format!("has more than {} KiB", MAX_JWKS_LEN / 1024));
        if answer.content_length().is_some_and(|len| len > MAX_JWKS_LEN as u64) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| told(&error))? {
            if body.len() + chunk.len() > MAX_JWKS_LEN {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// What is told of a failure: its kind. What lies below could tell of a network that the caller doesn't see.
fn told(error: &reqwest::Error) -> FetchError {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<NotPublic>() {
            return FetchError(NOT_PUBLIC.to_owned());
        }
        cause = error.source();
    }
    let text = if error.is_timeout() {
        "did not answer in time"
    } else if error.is_connect() {
        "cannot be connected to, or its certificate is not trusted"
    } else {
        "did not answer properly"
    };
    FetchError(text.to_owned())
}

#[cfg(test)]
mod tests;
