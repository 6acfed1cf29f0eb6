use super::address::is_public;
use super::fetcher::FetchRules;
use std::net::IpAddr;
use url::{Host, Url};

/// The longest URL, in bytes.
const MAX_URL_LEN: usize = 2048;

/// The URL, when documents may be fetched from it. A host name's addresses are checked when it is resolved.
pub(super) fn check(url: &str, rules: FetchRules) -> Result<Url, &'static str> {
    if url.len() > MAX_URL_LEN {
        return Err("has at most 2048 characters");
    }
    let url = Url::parse(url).map_err(|_| "is not a URL")?;
    match url.scheme() {
        "https" => {}
        "http" if rules.plain_http => {}
        _ => return Err("must begin with https://"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold credentials");
    }
    if url.fragment().is_some() {
        return Err("must not have a fragment");
    }
    let address = match url.host() {
        None => return Err("names no host"),
        Some(Host::Domain(_)) => None,
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
    };
    if !rules.private_addresses && address.is_some_and(|address| !is_public(address)) {
        return Err(NOT_PUBLIC);
    }
    Ok(url)
}

/// Checks an issuer whose discovery document is to be fetched.
pub(super) fn check_issuer(issuer: &str, rules: FetchRules) -> Result<(), &'static str> {
    let url = check(issuer, rules)?;
    if url.query().is_some() { Err("must not have a query when its keys are to be discovered") } else { Ok(()) }
}

/// Where the discovery document of an issuer is (OpenID Connect Discovery 1.0, section 4).
pub(super) fn discovery(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.strip_suffix('/').unwrap_or(issuer))
}

/// Why an address is refused.
pub(super) const NOT_PUBLIC: &str = "leads to an address that is not public, which the operator does not allow";

#[cfg(test)]
mod tests {
    use super::{check, check_issuer, discovery};
    use crate::foreign::FetchRules;

    #[test]
    fn only_public_https_is_fetched_from() {
        let strict = FetchRules::default();
        for taken in ["https://issuer.example/keys", "https://1.1.1.1/keys?a=b", "https://issuer.example:8443/"] {
            assert!(check(taken, strict).is_ok(), "{taken}");
        }
        for refused in [
            "",
            "issuer.example/keys",
            "http://issuer.example/keys",
            "ftp://issuer.example/keys",
            "file:///etc/passwd",
            "https://user@issuer.example/keys",
            "https://:word@issuer.example/keys",
            "https://issuer.example/keys#a",
            "https://127.0.0.1/keys",
            "https://0x7f.1/keys",
            "https://2130706433/keys",
            "https://[::1]/keys",
            "https://[::ffff:7f00:1]/keys",
            "https://169.254.169.254/latest",
        ] {
            assert!(check(refused, strict).is_err(), "{refused}");
        }
        let long = format!("https://issuer.example/{}", "a".repeat(2048));
        assert!(check(&long, strict).is_err());
    }

    #[test]
    fn the_operator_can_allow_more() {
        let private = FetchRules { private_addresses: true, plain_http: false };
        assert!(check("https://10.0.0.1/keys", private).is_ok());
        assert!(check("http://10.0.0.1/keys", private).is_err());
        let plain = FetchRules { private_addresses: false, plain_http: true };
        assert!(check("http://issuer.example/keys", plain).is_ok());
        assert!(check("http://127.0.0.1/keys", plain).is_err());
    }

    #[test]
    fn discovery_documents_stand_below_the_issuer() {
        let expected = "https://issuer.example/a/.well-known/openid-configuration";
        assert_eq!(discovery("https://issuer.example/a"), expected);
        assert_eq!(discovery("https://issuer.example/a/"), expected);
        assert!(check_issuer("https://issuer.example/?tenant=1", FetchRules::default()).is_err());
        assert!(check_issuer("https://issuer.example/tenant", FetchRules::default()).is_ok());
    }
}
