use core::net::IpAddr;
use core::time::Duration;
use std::path::PathBuf;
use url::{Host, Url};

/// What a key's name on the server begins with unless the operator says otherwise.
pub const DEFAULT_KEY_PREFIX: &str = "strongroom-";
/// Where the engine is mounted unless the operator says otherwise.
pub const DEFAULT_MOUNT: &str = "transit";
/// How long an operation may take unless the operator says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

const MAX_PREFIX_LEN: usize = 64;
const MAX_MOUNT_LEN: usize = 256;
const MAX_NAMESPACE_LEN: usize = 256;

/// Where the Transit engine is, and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitOptions {
    /// The server: `https://host:port`, or `http://` for this machine.
    pub address: String,
    /// The path that the engine is mounted at, without slashes around it. It stands in every handle: moving the engine elsewhere leaves
    /// the keys unusable until it is moved back.
    pub mount: String,
    /// The namespace, sent as `X-Vault-Namespace`; `None` for the server's root.
    pub namespace: Option<String>,
    /// What the names of keys begin with, so that the mount may hold others' keys, and a policy can tell them apart. It can't be changed
    /// once there are keys.
    pub key_prefix: String,
    /// A file that holds a token. It is read again when the server refuses the one that was read.
    pub token_file: PathBuf,
    /// Certificate authorities (PEM) that the server's certificate is checked against, instead of the operating system's.
    pub ca_file: Option<PathBuf>,
    /// A proxy to go through; `None` for none, whatever the environment says.
    pub proxy: Option<String>,
    /// The longest that one operation takes, with all that it tries.
    pub timeout: Duration,
}

impl TransitOptions {
    /// The defaults for a server and a token.
    #[must_use]
    pub fn new(address: impl Into<String>, token_file: impl Into<PathBuf>) -> Self {
        Self {
            address: address.into(),
            mount: DEFAULT_MOUNT.to_owned(),
            namespace: None,
            key_prefix: DEFAULT_KEY_PREFIX.to_owned(),
            token_file: token_file.into(),
            ca_file: None,
            proxy: None,
            timeout: DEFAULT_TIMEOUT,
        }
    }
}

/// Options that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransitOptionsError {
    /// See [`check_address`].
    #[error("the address {0}")]
    Address(&'static str),
    /// See [`check_mount`].
    #[error("the mount {0}")]
    Mount(&'static str),
    /// See [`check_namespace`].
    #[error("the namespace {0}")]
    Namespace(&'static str),
    /// See [`check_key_prefix`].
    #[error("the prefix of key names {0}")]
    KeyPrefix(&'static str),
    /// See [`check_proxy`].
    #[error("the proxy {0}")]
    Proxy(&'static str),
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

/// A server's address: `https://`, or `http://` when it is this machine; without path, query or credentials.
///
/// # Errors
/// What is wrong with it.
pub fn check_address(text: &str) -> Result<(), &'static str> {
    let wrong = "must be the URL of an OpenBao or Vault server, such as https://bao.internal:8200, without a path, a query or credentials";
    let url = Url::parse(text).map_err(|_| wrong)?;
    let plain = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    let host = url.host().filter(|_| plain).ok_or(wrong)?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&host) => Ok(()),
        "http" => {
            Err("must begin with https://: keys would cross the network readable; http:// is for this machine only")
        }
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

/// A mount: segments of `A-Z a-z 0-9 _ - .` with single slashes between them.
///
/// # Errors
/// What is wrong with it.
pub fn check_mount(text: &str) -> Result<(), &'static str> {
    if is_path(text, MAX_MOUNT_LEN) {
        Ok(())
    } else {
        Err("must be the path of a Transit engine, such as transit, without slashes around it")
    }
}

/// A namespace, in the same form as a mount; one slash at the end is allowed.
///
/// # Errors
/// What is wrong with it.
pub fn check_namespace(text: &str) -> Result<(), &'static str> {
    if is_path(text.strip_suffix('/').unwrap_or(text), MAX_NAMESPACE_LEN) {
        Ok(())
    } else {
        Err("must be a namespace, such as teams/security")
    }
}

/// A prefix of key names: 1 to 64 characters of `A-Z a-z 0-9 _ -`, the first of them no `-`.
///
/// # Errors
/// What is wrong with it.
pub fn check_key_prefix(text: &str) -> Result<(), &'static str> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let fits = (1..=MAX_PREFIX_LEN).contains(&text.len()) && text.bytes().all(legal) && !text.starts_with('-');
    if fits { Ok(()) } else { Err("must have 1 to 64 characters of A-Z a-z 0-9 _ -, and not begin with -") }
}

/// The URL of a proxy: `http://` or `https://`, without credentials.
///
/// # Errors
/// What is wrong with it.
pub fn check_proxy(text: &str) -> Result<(), &'static str> {
    let url = Url::parse(text).ok();
    let fits = url.is_some_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    });
    if fits {
        Ok(())
    } else {
        Err("must be the URL of an HTTP proxy, such as http://proxy.internal:3128, without credentials")
    }
}

fn is_path(text: &str, max: usize) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let segment =
        |part: &str| !part.is_empty() && part.bytes().all(legal) && !matches!(part, "." | "..") && !part.ends_with('.');
    text.len() <= max && text.split('/').all(segment)
}

#[cfg(test)]
mod tests {
    use super::{check_address, check_key_prefix, check_mount, check_namespace, check_proxy};

    #[test]
    fn addresses() {
        for good in
            ["https://bao.internal:8200", "https://bao/", "http://127.0.0.1:8200", "http://[::1]:1", "http://localhost"]
        {
            assert_eq!(check_address(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "bao",
            "bao:8200",
            "ftp://bao",
            "https://",
            "https://a/b",
            "https://a/?q",
            "https://a/#f",
            "https://u:p@a",
            "http://bao",
            "http://10.0.0.1",
            "http://127.0.0.1.example",
        ] {
            assert!(check_address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_and_prefixes() {
        for good in ["transit", "a/b-c/d_e.f"] {
            assert_eq!((check_mount(good), check_namespace(good)), (Ok(()), Ok(())));
        }
        assert_eq!(check_namespace("teams/security/"), Ok(()));
        for bad in ["", "/a", "a/", "a//b", "a/../b", ".", "a b", "a?b", "a%2fb", "ä", "a."] {
            assert!(check_mount(bad).is_err(), "{bad}");
        }
        for (prefix, good) in
            [("strongroom-", true), ("a", true), ("", false), ("-a", false), ("a/b", false), ("a.b", false)]
        {
            assert_eq!(check_key_prefix(prefix).is_ok(), good, "{prefix}");
        }
        for (proxy, good) in [("http://p:1", true), ("socks5://p", false), ("http://u:p@h", false), ("p", false)] {
            assert_eq!(check_proxy(proxy).is_ok(), good, "{proxy}");
        }
    }
}
