//! The section `[iam]`: how callers are known, and what they need.

use super::reader::{Entry, Problems, Section};
use super::set;
use core::net::{IpAddr, SocketAddr};
use http::Uri;

/// How callers are known, and what they need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IamConfig {
    /// Whether callers also need a permission on the secret's key.
    pub(crate) check_key_permission: bool,
    /// The URL at which callers reach this installation, without a slash at its end: the issuer of access tokens. `None` for the
    /// address that is listened on.
    pub(crate) public_url: Option<String>,
    /// Whether keys of identity providers may be fetched from addresses that aren't public.
    pub(crate) private_issuers: bool,
    /// Issuers whose users may log in.
    pub(crate) logins: Vec<LoginConfig>,
}

/// An issuer whose users may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoginConfig {
    /// An https URL, compared exactly with `iss`.
    pub(crate) issuer: String,
    /// What its tokens must name in `aud`.
    pub(crate) audience: String,
    /// Where its keys are, an https URL; `None` for where its discovery document says.
    pub(crate) jwks_uri: Option<String>,
}

impl Default for IamConfig {
    fn default() -> Self {
        Self { check_key_permission: true, public_url: None, private_issuers: false, logins: Vec::new() }
    }
}

impl IamConfig {
    /// The issuer of access tokens, when `address` is listened on.
    pub(crate) fn issuer(&self, address: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{address}"))
    }
}

pub(super) fn iam(mut section: Section<'_, '_>, problems: &mut Problems<'_>) -> IamConfig {
    let mut iam = IamConfig::default();
    set(&mut iam.check_key_permission, section.get("check_key_permission"), Entry::boolean, problems);
    let url = |entry: &Entry<'_, '_>, problems: &mut Problems<'_>| entry.parsed(problems, public_url).map(Some);
    set(&mut iam.public_url, section.get("public_url"), url, problems);
    set(&mut iam.private_issuers, section.get("private_issuers"), Entry::boolean, problems);
    for (_, entry) in section.section("logins", problems).entries() {
        if let Some(login) = login(entry, &iam.logins, problems) {
            iam.logins.push(login);
        }
    }
    section.finish(problems);
    iam
}

fn login(entry: Entry<'_, '_>, others: &[LoginConfig], problems: &mut Problems<'_>) -> Option<LoginConfig> {
    let mut section = entry.section(problems);
    let issuer_entry = section.require("issuer", problems);
    let issuer = issuer_entry.as_ref().and_then(|entry| entry.parsed(problems, issuer));
    let audience = section.require("audience", problems).and_then(|entry| entry.parsed(problems, audience));
    let jwks_uri = section.get("jwks_uri");
    let is_discovered = jwks_uri.is_none();
    let jwks_uri = jwks_uri.and_then(|entry| entry.parsed(problems, https_url));
    section.finish(problems);
    let login = LoginConfig { issuer: issuer?, audience: audience?, jwks_uri };
    let is_contradicted = |other: &LoginConfig| other.issuer == login.issuer && other.jwks_uri != login.jwks_uri;
    if let Some(entry) = issuer_entry.filter(|_| others.iter().any(is_contradicted)) {
        entry.refuse("has another `jwks_uri` in another login; an issuer has one set of keys", problems);
    }
    (is_discovered || login.jwks_uri.is_some()).then_some(login)
}

fn audience(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Err("must not be empty") } else { Ok(text.to_owned()) }
}

/// Issuers are compared character by character, so that nothing is tidied up here.
fn issuer(text: &str) -> Result<String, &'static str> {
    let has_query = text.parse::<Uri>().is_ok_and(|uri| uri.query().is_some());
    if has_query {
        return Err("must not have a query");
    }
    // Tokens of a longer one are refused.
    if text.len() > 1_024 { Err("must have at most 1024 bytes") } else { https_url(text) }
}

/// Keys that come over a connection without TLS could be anybody's, also on this machine.
fn https_url(text: &str) -> Result<String, &'static str> {
    let wrong = "must be an https:// URL, such as https://login.example.com, without credentials or a fragment";
    let uri: Uri = text.parse().map_err(|_| wrong)?;
    let right = uri.scheme_str() == Some("https") && host(&uri).is_some() && !text.contains(['#', '@']);
    if right { Ok(text.to_owned()) } else { Err(wrong) }
}

/// Tokens and credentials travel to this URL, so that without TLS it may only be this machine.
fn public_url(text: &str) -> Result<String, &'static str> {
    let wrong = "must be the URL at which callers reach this installation, such as https://secrets.example.com, without a path, a query or \
         a slash at its end";
    let uri: Uri = text.parse().map_err(|_| wrong)?;
    let is_plain = uri.path() == "/" && !text.ends_with('/') && uri.query().is_none() && !text.contains(['#', '@']);
    let host = host(&uri).filter(|_| is_plain).ok_or(wrong)?;
    match uri.scheme_str() {
        Some("https") => Ok(text.to_owned()),
        Some("http") if is_loopback(host) => Ok(text.to_owned()),
        Some("http") => {
            Err("must begin with https://: tokens would cross the network readable; http:// is for this machine only")
        }
        _ => Err(wrong),
    }
}

fn host(uri: &Uri) -> Option<&str> {
    uri.host().filter(|host| !host.is_empty())
}

/// Whether a host, as it stands in a URL, is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
}
