//! Where a request comes from.

use core::net::{IpAddr, SocketAddr};
use http::HeaderMap;
use ipnet::IpNet;

/// The client's address: the connection's, unless that is a trusted proxy. Then the right-most entry of `X-Forwarded-For` that
/// isn't a trusted proxy, else `X-Real-IP`. What can't be read isn't guessed at: the connection's address stands.
pub(crate) fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    if !is_trusted(&peer) {
        return peer;
    }
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().map(|line| line.to_str().unwrap_or("?")).collect();
    for entry in lines.iter().flat_map(|line| line.split(',')).rev() {
        match parse(entry) {
            None => return peer,
            Some(address) if !is_trusted(&address) => return address,
            Some(_) => {}
        }
    }
    headers.get("x-real-ip").and_then(|value| parse(value.to_str().ok()?)).unwrap_or(peer)
}

/// An address as proxies write it: plain, in brackets, or with a port.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse().map(|address: SocketAddr| address.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::address;
    use http::{HeaderMap, HeaderValue};

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxies = ["10.0.0.0/8".parse().expect("net"), "fd00::/8".parse().expect("net")];
        for (peer, forwarded, real, expected) in [
            ("192.0.2.1", &["198.51.100.7"][..], None, "192.0.2.1"),
            ("10.0.0.1", &["198.51.100.7"], None, "198.51.100.7"),
            ("::ffff:10.0.0.1", &["198.51.100.7"], None, "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.1.1.1"], None, "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9", "198.51.100.7", "10.1.1.1"], None, "198.51.100.7"),
            ("fd00::1", &["198.51.100.7:4711"], None, "198.51.100.7"),
            ("10.0.0.1", &["[2001:db8::1]"], None, "2001:db8::1"),
            ("10.0.0.1", &["[2001:db8::1]:80"], None, "2001:db8::1"),
            ("10.0.0.1", &["::ffff:198.51.100.7"], None, "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9, what, 10.1.1.1"], Some("198.51.100.8"), "10.0.0.1"),
            ("10.0.0.1", &["10.2.2.2"], Some("198.51.100.8"), "198.51.100.8"),
            ("10.0.0.1", &[], Some("198.51.100.8"), "198.51.100.8"),
            ("10.0.0.1", &[], Some("what"), "10.0.0.1"),
            ("10.0.0.1", &[], None, "10.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            for line in forwarded {
                headers.append("x-forwarded-for", HeaderValue::from_static(line));
            }
            if let Some(real) = real {
                headers.insert("x-real-ip", HeaderValue::from_static(real));
            }
            let found = address(peer.parse().expect("address"), &headers, &proxies);
            assert_eq!(found.to_string(), expected, "{peer} {forwarded:?} {real:?}");
            let untrusting = address(peer.parse().expect("address"), &headers, &[]);
            assert_eq!(untrusting, peer.parse::<core::net::IpAddr>().expect("address").to_canonical());
        }
    }
}
