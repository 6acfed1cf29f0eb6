//! Requests to a receiver.

use bytes::Bytes;
use core::fmt;
use core::net::IpAddr;
use core::time::Duration;
use reqwest::Certificate;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use std::path::PathBuf;
use strongroom_domain::port::SinkError;
use url::{Host, Url};

/// How much of an answer is read: enough that the connection can be used again after any usual one.
const MAX_ANSWER_LEN: usize = 64 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// How a receiver is reached.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpOptions {
    /// Where to; see [`check_url`].
    pub url: String,
    /// Certificate authorities (PEM) that the receiver's certificate is checked against, instead of the operating system's.
    pub ca_file: Option<PathBuf>,
    /// The longest that one delivery takes.
    pub timeout: Duration,
}

impl HttpOptions {
    /// The defaults for a URL: ten seconds, and the operating system's authorities.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), ca_file: None, timeout: Duration::from_secs(10) }
    }
}

/// Without path and query, which some receivers take for a credential.
impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = Url::parse(&self.url).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        f.debug_struct("HttpOptions")
            .field("origin", &origin)
            .field("ca_file", &self.ca_file)
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// Options that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpOptionsError {
    /// See [`check_url`].
    #[error("the URL {0}")]
    Url(&'static str),
    /// The file of certificate authorities can't be read, or has none.
    #[error("the file of certificate authorities {path} {what}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The HTTP client could not be made, for example because the system has no certificate authorities.
    #[error("the HTTP client could not be made")]
    Client(#[source] Box<dyn core::error::Error + Send + Sync>),
}

/// A receiver's URL: `https://`, or `http://` when it is this machine; without credentials or a fragment.
///
/// # Errors
/// What is wrong with it.
pub fn check_url(text: &str) -> Result<(), &'static str> {
    let wrong =
        "must be the URL of a receiver, such as https://audit.internal/strongroom, without credentials or a fragment";
    let url = Url::parse(text).map_err(|_| wrong)?;
    let plain = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    let host = url.host().filter(|_| plain).ok_or(wrong)?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&host) => Ok(()),
        "http" => Err(
            "must begin with https://: the audit log would cross the network readable; http:// is for this machine only",
        ),
        _ => Err(wrong),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(*address).to_canonical().is_loopback(),
    }
}

/// How a request ended that the receiver did not take.
pub(crate) enum Refusal {
    /// It is too large for the receiver.
    TooLarge,
    /// Everything else.
    Other(SinkError),
}

/// Sends requests to one URL.
pub(crate) struct Receiver {
    http: reqwest::Client,
    url: Url,
    /// For whatever one delivery takes.
    pub(crate) timeout: Duration,
}

impl Receiver {
    pub(crate) fn new(options: &HttpOptions) -> Result<Self, HttpOptionsError> {
        check_url(&options.url).map_err(HttpOptionsError::Url)?;
        let url = Url::parse(&options.url).map_err(|error| HttpOptionsError::Client(error.into()))?;
        let mut builder = reqwest::Client::builder()
            .user_agent("strongroom")
            .http1_only()
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .timeout(options.timeout)
            .connect_timeout(CONNECT_TIMEOUT.min(options.timeout))
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_nodelay(true);
        if let Some(path) = &options.ca_file {
            let wrong = |what: String| HttpOptionsError::CaFile { path: path.clone(), what };
            let pem = std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {}", error.kind())))?;
            let authorities = Certificate::from_pem_bundle(&pem).unwrap_or_default();
            if authorities.is_empty() {
                return Err(wrong("holds no certificate in PEM".to_owned()));
            }
            builder = builder.tls_certs_only(authorities);
        }
        let http = builder.build().map_err(|error| HttpOptionsError::Client(error.without_url().into()))?;
        Ok(Self { http, url, timeout: options.timeout })
    }

    /// Sends JSON; `Ok` when it was answered with 2xx.
    pub(crate) async fn post(&self, body: Bytes, headers: HeaderMap) -> Result<(), Refusal> {
        let request = self.http.post(self.url.clone()).headers(headers);
        let request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body);
        let failed = |error: reqwest::Error| {
            let what = if error.is_timeout() { "the receiver took too long" } else { "the receiver cannot be reached" };
            Refusal::Other(SinkError::new(what).because(error.without_url()))
        };
        let mut answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let mut left = MAX_ANSWER_LEN;
        // What it says besides the status is for nobody; an answer that breaks off is taken by its status too.
        while let Ok(Some(chunk)) = answer.chunk().await {
            match left.checked_sub(chunk.len()) {
                Some(less) => left = less,
                None => break,
            }
        }
        match status.as_u16() {
            200..=299 => Ok(()),
            413 => Err(Refusal::TooLarge),
            status => Err(Refusal::Other(SinkError::new(format!("the receiver answered with status {status}")))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HttpOptions, check_url};

    #[test]
    fn urls() {
        for good in [
            "https://audit.internal",
            "https://audit.internal:8443/a/b?c=d",
            "http://127.0.0.1:1/x",
            "http://[::1]/",
            "http://localhost",
        ] {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "audit",
            "ftp://a",
            "https://",
            "https://u:p@a/",
            "https://u@a/",
            "https://a/#f",
            "http://a/",
            "http://10.0.0.1/",
            "http://127.0.0.1.example/",
            "unix:/dev/log",
        ] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_may_be_a_credential_is_not_shown() {
        let shown = format!("{:?}", HttpOptions::new("https://hooks.example.com/T0/hidden?key=hidden"));
        assert!(shown.contains("https://hooks.example.com") && !shown.contains("hidden"), "{shown}");
    }
}
