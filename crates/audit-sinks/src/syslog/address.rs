use core::fmt;
use core::str::FromStr;
use std::path::PathBuf;
use url::Url;

/// Where a syslog server listens. As text `unix:/dev/log`, `unix-stream:/run/syslog.sock`, `udp://host:514` or `tcp://host:601`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyslogAddress {
    /// A datagram socket of this machine; on most machines `/dev/log` is one.
    UnixDatagram(PathBuf),
    /// A stream socket of this machine.
    UnixStream(PathBuf),
    /// UDP: messages may be lost, and nobody hears of it.
    Udp {
        /// A name or an address.
        host: String,
        /// The port.
        port: u16,
    },
    /// TCP.
    Tcp {
        /// A name or an address.
        host: String,
        /// The port.
        port: u16,
    },
}

/// No address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the address of a syslog server: unix:/dev/log, unix-stream:/PATH, udp://HOST:PORT or tcp://HOST:PORT")]
pub struct SyslogAddressError;

impl FromStr for SyslogAddress {
    type Err = SyslogAddressError;

    fn from_str(text: &str) -> Result<Self, SyslogAddressError> {
        let path = |path: &str| path.starts_with('/').then(|| PathBuf::from(path)).ok_or(SyslogAddressError);
        if let Some(text) = text.strip_prefix("unix:") {
            return path(text).map(Self::UnixDatagram);
        }
        if let Some(text) = text.strip_prefix("unix-stream:") {
            return path(text).map(Self::UnixStream);
        }
        let url = Url::parse(text).map_err(|_| SyslogAddressError)?;
        let bare = matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let host = url.host_str().filter(|host| bare && !host.is_empty()).ok_or(SyslogAddressError)?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let port = url.port().filter(|port| *port > 0).ok_or(SyslogAddressError)?;
        match url.scheme() {
            "udp" => Ok(Self::Udp { host, port }),
            "tcp" => Ok(Self::Tcp { host, port }),
            _ => Err(SyslogAddressError),
        }
    }
}

impl fmt::Display for SyslogAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let network = |f: &mut fmt::Formatter<'_>, scheme: &str, host: &str, port: u16| {
            if host.contains(':') {
                write!(f, "{scheme}://[{host}]:{port}")
            } else {
                write!(f, "{scheme}://{host}:{port}")
            }
        };
        match self {
            Self::UnixDatagram(path) => write!(f, "unix:{}", path.display()),
            Self::UnixStream(path) => write!(f, "unix-stream:{}", path.display()),
            Self::Udp { host, port } => network(f, "udp", host, *port),
            Self::Tcp { host, port } => network(f, "tcp", host, *port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SyslogAddress;

    #[test]
    fn addresses() {
        for good in [
            "unix:/dev/log",
            "unix-stream:/run/x.sock",
            "udp://log.internal:514",
            "tcp://10.0.0.1:601",
            "tcp://[::1]:601",
        ] {
            assert_eq!(good.parse::<SyslogAddress>().expect("an address").to_string(), good);
        }
        for bad in [
            "",
            "/dev/log",
            "unix:",
            "unix:dev/log",
            "unix-stream:x",
            "udp://log",
            "udp://:514",
            "tcp://u@h:1",
            "tcp://h:0",
            "tcp://h:1/x",
            "tls://h:1",
            "http://h:1",
        ] {
            assert!(bad.parse::<SyslogAddress>().is_err(), "{bad}");
        }
    }
}
