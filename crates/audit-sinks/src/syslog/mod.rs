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

/// How long it rests between two looks whether a connection is over.
const LOOK: Duration = Duration::from_millis(5);

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
/// Over a stream, each delivery has a connection of its own, which is closed for writing at its end: when the server closes it then too, it
/// counts as taken. A server that closes before or dies leaves an error behind, or doesn't close, and gets the delivery again. One that closes
/// its own side first and then dies without having read is taken for one that read everything, as is one that reads and loses: the protocol
/// has no answers, only the kernel's.
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
            SyslogAddress::UnixStream(path) => stream(&mut UnixStream::connect(path).await?, messages).await,
            SyslogAddress::Udp { host, port } => {
                let socket = connected(host, *port).await?;
                for message in messages {
                    socket.send(message).await?;
                }
                Ok(())
            }
            SyslogAddress::Tcp { host, port } => {
                over_tcp(TcpStream::connect((host.as_str(), *port)).await?, messages).await
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
async fn stream(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), messages: &[Vec<u8>]) -> io::Result<()> {
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

/// A server that closed before it read ends the stream just as one that read everything does; that it refuses what came later it says after
/// that, by a reset (RFC 9293 section 3.6.1).
async fn over_tcp(mut connection: TcpStream, messages: &[Vec<u8>]) -> io::Result<()> {
    stream(&mut connection, messages).await?;
    // There is a peer until the end of the stream was acknowledged or refused: mostly that came with the server's own end.
    while connection.peer_addr().is_ok() {
        tokio::time::sleep(LOOK).await;
    }
    connection.take_error()?.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::over_tcp;
    use core::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpSocket, TcpStream};

    async fn connected() -> (TcpStream, TcpStream) {
        connect(socket(), socket()).await
    }

    fn socket() -> TcpSocket {
        TcpSocket::new_v4().expect("a socket")
    }

    async fn connect(from: TcpSocket, to: TcpSocket) -> (TcpStream, TcpStream) {
        to.bind(([127, 0, 0, 1], 0).into()).expect("a port");
        let listener = to.listen(1).expect("listens");
        let address = listener.local_addr().expect("an address");
        let (client, server) = tokio::join!(from.connect(address), listener.accept());
        (client.expect("connects"), server.expect("accepts").0)
    }

    #[tokio::test]
    async fn what_was_sent_after_the_server_closed_was_not_taken() {
        let (client, server) = connected().await;
        drop(server);
        client.readable().await.expect("has heard of it");
        assert!(over_tcp(client, &[b"one".to_vec()]).await.is_err());
    }

    #[tokio::test]
    async fn a_server_that_closes_its_own_side_first_may_read_on() {
        let (client, mut server) = connected().await;
        server.shutdown().await.expect("closes its side");
        client.readable().await.expect("has heard of it");
        let read = async {
            let mut bytes = Vec::new();
            server.read_to_end(&mut bytes).await.expect("reads");
            bytes
        };
        let messages = [b"one".to_vec()];
        let (sent, bytes) = tokio::join!(over_tcp(client, &messages), read);
        sent.expect("takes it");
        assert_eq!(bytes, b"3 one");
    }

    #[tokio::test]
    async fn a_server_that_closes_its_own_side_first_and_reads_nothing_did_not_take_it() {
        let (from, to) = (socket(), socket());
        // The kernel here takes everything, that of the server hardly anything.
        from.set_send_buffer_size(1 << 20).expect("large");
        to.set_recv_buffer_size(4_096).expect("small");
        let (client, mut server) = connect(from, to).await;
        server.shutdown().await.expect("closes its side");
        client.readable().await.expect("has heard of it");
        let messages = [vec![b'x'; 300_000]];
        let mut sending = Box::pin(over_tcp(client, &messages));
        let waited = tokio::time::timeout(Duration::from_millis(200), &mut sending).await;
        assert!(waited.is_err(), "the server has read nothing yet: {waited:?}");
        drop(server);
        let sent = tokio::time::timeout(Duration::from_secs(10), sending).await.expect("hears of it");
        assert!(sent.is_err(), "nobody read it");
    }
}
