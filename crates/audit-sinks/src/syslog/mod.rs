//! Syslog (RFC 5424).

mod address;
mod message;

pub use address::{SyslogAddress, SyslogAddressError};
pub use message::{Facility, FacilityError};

use async_trait::async_trait;
use core::time::Duration;
use message::Sender;
use std::io;
use strongroom_domain::audit::{ChainedRecord, SinkName};
use strongroom_domain::port::{AuditSink, SinkError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, UnixDatagram, UnixStream, lookup_host};

/// How a syslog server is reached, and what messages say of their sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogOptions {
    /// Where it is.
    pub address: SyslogAddress,
    /// Under which facility.
    pub facility: Facility,
    /// What the sender is called: 1 to 48 visible ASCII characters.
    pub app_name: String,
    /// The longest that one delivery takes.
    pub timeout: Duration,
}

impl SyslogOptions {
    /// The defaults for a server: as `strongroom`, under `authpriv`, within ten seconds.
    #[must_use]
    pub fn new(address: SyslogAddress) -> Self {
        Self {
            address,
            facility: Facility::default(),
            app_name: "strongroom".to_owned(),
            timeout: Duration::from_secs(10),
        }
    }
}

/// Sends records to a syslog server, a message each.
///
/// Over a stream, each delivery has a connection of its own, which is closed for writing at its end: when the server closes it then too, it has
/// read everything. A server that dies before leaves an error behind, or doesn't close, and gets the delivery again.
pub struct SyslogSink {
    name: SinkName,
    address: SyslogAddress,
    sender: Sender,
    timeout: Duration,
}

impl SyslogSink {
    /// Connects to nothing yet.
    #[must_use]
    pub fn new(name: SinkName, options: SyslogOptions) -> Self {
        let SyslogOptions { address, facility, app_name, timeout } = options;
        Self { name, address, sender: Sender::new(facility, &app_name), timeout }
    }

    async fn send(&self, messages: &[Vec<u8>]) -> io::Result<()> {
        match &self.address {
            SyslogAddress::UnixDatagram(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                for message in messages {
                    socket.send(message).await?;
                }
                Ok(())
            }
            SyslogAddress::UnixStream(path) => stream(UnixStream::connect(path).await?, messages).await,
            SyslogAddress::Udp { host, port } => {
                let socket = connected(host, *port).await?;
                for message in messages {
                    socket.send(message).await?;
                }
                Ok(())
            }
            SyslogAddress::Tcp { host, port } => {
                let connection = TcpStream::connect((host.as_str(), *port)).await?;
                stream(connection, messages).await
            }
        }
    }
}

#[async_trait]
impl AuditSink for SyslogSink {
    fn name(&self) -> &SinkName {
        &self.name
    }

    async fn deliver(&self, records: &[ChainedRecord]) -> Result<(), SinkError> {
        let messages = records.iter().map(|record| self.sender.message(record)).collect::<Result<Vec<_>, _>>()?;
        let failed = |what: &str| SinkError::new(format!("the syslog server at {} {what}", self.address));
        match tokio::time::timeout(self.timeout, self.send(&messages)).await {
            Ok(sent) => sent.map_err(|error| failed("did not take everything").because(error)),
            Err(_) => Err(failed("took too long")),
        }
    }
}

async fn connected(host: &str, port: u16) -> io::Result<UdpSocket> {
    let mut last = None;
    for address in lookup_host((host, port)).await? {
        let local = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let connecting = async {
            let socket = UdpSocket::bind(local).await?;
            socket.connect(address).await.map(|()| socket)
        };
        match connecting.await {
            Ok(socket) => return Ok(socket),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::from(io::ErrorKind::NotFound)))
}

/// Messages with their length before them (RFC 6587 section 3.4.1).
async fn stream(mut stream: impl AsyncRead + AsyncWrite + Unpin, messages: &[Vec<u8>]) -> io::Result<()> {
    let mut framed = Vec::new();
    for message in messages {
        framed.extend_from_slice(format!("{} ", message.len()).as_bytes());
        framed.extend_from_slice(message);
    }
    stream.write_all(&framed).await?;
    stream.shutdown().await?;
    // A server has nothing to say; what it says anyway is passed over.
    let mut said = [0; 256];
    while stream.read(&mut said).await? > 0 {}
    Ok(())
}
