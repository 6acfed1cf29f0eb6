use crate::records::{assert_record, assert_records, name, stream};
use core::time::Duration;
use strongroom_audit_sinks::{SyslogAddress, SyslogOptions, SyslogSink};
use strongroom_domain::audit::ChainedRecord;
use strongroom_domain::port::AuditSink;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, UdpSocket, UnixDatagram, UnixListener};

fn sink(address: &str) -> SyslogSink {
    let address: SyslogAddress = address.parse().expect("an address");
    SyslogSink::new(name(), SyslogOptions { timeout: Duration::from_secs(20), ..SyslogOptions::new(address) })
}

/// The record that a message carries, after its head was looked at.
fn text(message: &[u8], record: &ChainedRecord) -> Vec<u8> {
    let message = core::str::from_utf8(message).expect("UTF-8");
    let (head, rest) = message.split_once(" [strongroom@32473 ").expect("structured data");
    let (data, text) = rest.split_once("] ").expect("a text");
    let words: Vec<_> = head.split(' ').collect();
    let priority = match record.record.outcome.as_str() {
        "success" => "<86>1",
        "denied" => "<84>1",
        _ => "<83>1",
    };
    assert_eq!((words.len(), words[0], words[3], words[5]), (6, priority, "strongroom", "audit"), "{head}");
    assert_eq!(words[1], record.record.at.to_rfc3339());
    assert_eq!(words[4], std::process::id().to_string());
    assert!(data.contains(&format!("stream=\"{}\" sequence=\"{}\"", record.stream, record.sequence)), "{data}");
    text.as_bytes().to_vec()
}

/// Takes messages off a stream with their lengths before them.
fn unframed(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|byte| *byte == b' ').expect("a length");
        let len: usize = core::str::from_utf8(&bytes[..space]).expect("ASCII").parse().expect("a number");
        messages.push(bytes[space + 1..][..len].to_vec());
        bytes = &bytes[space + 1 + len..];
    }
    messages
}

async fn read_all(mut stream: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("reads");
    bytes
}

fn assert_messages(messages: &[Vec<u8>], records: &[ChainedRecord]) {
    let texts: Vec<_> = messages.iter().zip(records).map(|(message, record)| text(message, record)).collect();
    assert_records(&texts, records);
}

#[tokio::test]
async fn messages_over_tcp_are_counted_and_taken_when_read_to_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let sink = sink(&format!("tcp://{}", listener.local_addr().expect("an address")));
    let records = stream(40);
    let server = async {
        let (stream, _) = listener.accept().await.expect("accepts");
        read_all(stream).await
    };
    let (delivered, bytes) = tokio::join!(sink.deliver(&records), server);
    delivered.expect("takes them");
    assert_messages(&unframed(&bytes), &records);
}

#[tokio::test]
async fn a_server_that_dies_in_the_middle_has_taken_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let sink = sink(&format!("tcp://{}", listener.local_addr().expect("an address")));
    let records = stream(400);
    let server = async {
        let (mut stream, _) = listener.accept().await.expect("accepts");
        // Closing with something unread resets the connection, as the end of a process does.
        stream.read_exact(&mut [0; 100]).await.expect("reads");
    };
    let (delivered, ()) = tokio::join!(sink.deliver(&records), server);
    assert!(delivered.is_err());
    drop(listener);
    assert!(sink.deliver(&records).await.is_err(), "nobody listens");
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let address = format!("tcp://{}", listener.local_addr().expect("an address")).parse().expect("an address");
    let options = SyslogOptions { timeout: Duration::from_millis(50), ..SyslogOptions::new(address) };
    let error = SyslogSink::new(name(), options).deliver(&stream(1)).await.expect_err("hangs");
    assert!(error.to_string().contains("took too long"), "{error}");
}

#[tokio::test]
async fn messages_over_a_stream_socket() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("log");
    let listener = UnixListener::bind(&path).expect("listens");
    let sink = sink(&format!("unix-stream:{}", path.display()));
    let records = stream(3);
    let server = async {
        let (stream, _) = listener.accept().await.expect("accepts");
        read_all(stream).await
    };
    let (delivered, bytes) = tokio::join!(sink.deliver(&records), server);
    delivered.expect("takes them");
    assert_messages(&unframed(&bytes), &records);
}

#[tokio::test]
async fn messages_over_a_datagram_socket() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("log");
    let socket = UnixDatagram::bind(&path).expect("binds");
    let sink = sink(&format!("unix:{}", path.display()));
    let records = stream(3);
    sink.deliver(&records).await.expect("takes them");
    for record in &records {
        let mut message = vec![0; 64 * 1024];
        let len = socket.recv(&mut message).await.expect("receives");
        assert_record(&text(&message[..len], record), record);
    }
    drop(socket);
    assert!(sink.deliver(&records).await.is_err(), "nobody listens");
    std::fs::remove_file(&path).expect("removes");
    assert!(sink.deliver(&records).await.is_err(), "there is no socket");
}

#[tokio::test]
async fn messages_over_udp() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("binds");
    let sink = sink(&format!("udp://{}", socket.local_addr().expect("an address")));
    let records = stream(3);
    sink.deliver(&records).await.expect("takes them");
    for record in &records {
        let mut message = vec![0; 64 * 1024];
        let len = socket.recv(&mut message).await.expect("receives");
        assert_record(&text(&message[..len], record), record);
    }
}
