use crate::token::Tokens;
use crate::transport::Transport;
use crate::{Client, Credentials, Error, Retries};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use reqwest::Certificate;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use std::sync::Arc;
use url::{Host, Url};

const CONNECTING: Duration = Duration::from_secs(10);
const MIB: usize = 1024 * 1024;

/// How a server is reached, and as whom. Made by [`Client::builder`].
#[must_use]
pub struct ClientBuilder {
    address: String,
    credentials: Option<Credentials>,
    organisation: Option<String>,
    project: Option<String>,
    user_agent: String,
    timeout: Duration,
    retries: Retries,
    authorities: Vec<Vec<u8>>,
    allow_plain_http: bool,
    largest_answer: usize,
    largest_list: usize,
    most_pages: usize,
}

impl ClientBuilder {
    pub(crate) fn new(address: String) -> Self {
        Self {
            address,
            credentials: None,
            organisation: None,
            project: None,
            user_agent: concat!("strongroom-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeout: Duration::from_secs(60),
            retries: Retries::default(),
            authorities: Vec::new(),
            allow_plain_http: false,
            largest_answer: 2 * MIB,
            largest_list: 64 * MIB,
            most_pages: 10_000,
        }
    }

    /// Who calls. Without it only what is open to everybody can be called.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// The organisation, by identity or slug. Needed where the credentials can act in several.
    pub fn organisation(mut self, organisation: impl Into<String>) -> Self {
        self.organisation = Some(organisation.into());
        self
    }

    /// The project whose secrets and keys are meant, by identity or slug; without it those of the organisation.
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }

    /// What the audit log shall say called.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// How long a call may take, with all that it tries again; 60 seconds unless it is set. Of an answer that comes as a stream: until
    /// it begins, and between its parts.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// What is tried again.
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// Certificate authorities in PEM that the server's certificate may be from, instead of those of the operating system. Can be
    /// given several times.
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities.push(pem.into());
        self
    }

    /// Calls the server without TLS also when it is on another machine: everybody on the way can read the credentials and values.
    pub fn allow_plain_http(mut self) -> Self {
        self.allow_plain_http = true;
        self
    }

    /// The largest answer in bytes, but of lists; 2 MiB unless it is set.
    pub fn largest_answer(mut self, bytes: usize) -> Self {
        self.largest_answer = bytes;
        self
    }

    /// The largest list in bytes, or page of one; 64 MiB unless it is set.
    pub fn largest_list(mut self, bytes: usize) -> Self {
        self.largest_list = bytes;
        self
    }

    /// The most pages of one list, each of up to 1000 items, of values up to 100; 10 000 unless it is set. A list that goes on behind them ends with an error.
    pub fn most_pages(mut self, pages: usize) -> Self {
        self.most_pages = pages;
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`BadInput`](crate::ErrorKind::BadInput) for an address, name, credential or certificate that can't be used.
    pub fn build(self) -> Result<Client, Error> {
        let base = self.checked_address()?;
        let mut http = reqwest::Client::builder()
            .user_agent(header(&self.user_agent, "the user agent")?)
            .http1_only()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECTING.min(self.timeout));
        if base.scheme() == "http" {
            // A proxy could read along, and a name could lead anywhere.
            let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            let loopback = loopback.map(|address| SocketAddr::new(address, 0));
            http = http.no_proxy().resolve_to_addrs("localhost", &loopback);
        } else {
            http = http.https_only(true);
        }
        if !self.authorities.is_empty() {
            let mut authorities = Vec::new();
            for pem in &self.authorities {
                let read = Certificate::from_pem_bundle(pem).ok().filter(|read| !read.is_empty());
                authorities.extend(
                    read.ok_or_else(|| Error::bad_input("the certificate authorities are not certificates in PEM"))?,
                );
            }
            http = http.tls_certs_only(authorities);
        }
        let http = http
            .build()
            .map_err(|error| Error::bad_input("the client can't be made with these settings").because(error))?;
        let tokens = self.credentials.map(Tokens::new).transpose()?;
        let scope = |name: Option<String>, what| name.map(|name| header(&name, what)).transpose();
        let organisation = scope(self.organisation, "the organisation")?;
        let project = scope(self.project, "the project")?;
        let transport = Transport {
            http,
            base,
            tokens,
            timeout: self.timeout,
            retries: self.retries,
            largest_answer: self.largest_answer,
            largest_list: self.largest_list,
            most_pages: self.most_pages,
        };
        Ok(Client { transport: Arc::new(transport), organisation, project })
    }

    fn checked_address(&self) -> Result<Url, Error> {
        let wrong = || {
            let message =
                "the server's address must be a URL such as https://strongroom.example.com, without user and query";
            Error::bad_input(message)
        };
        let url = Url::parse(&self.address).map_err(|error| wrong().because(error))?;
        let has_more = url.query().is_some() || url.fragment().is_some();
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_more || has_user || !matches!(url.scheme(), "https" | "http") {
            return Err(wrong());
        }
        let is_this_machine = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
            None => return Err(wrong()),
        };
        if url.scheme() == "http" && !is_this_machine && !self.allow_plain_http {
            let message = format!(
                "{} is on another machine and has no TLS, so that everybody on the way could read the credentials: use https://, or allow plain HTTP",
                url.origin().ascii_serialization()
            );
            return Err(Error::bad_input(message));
        }
        Ok(url)
    }
}

pub(crate) fn header(text: &str, what: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(text).map_err(|_| Error::bad_input(format!("{what} holds what no name holds: {text:?}")))
}
