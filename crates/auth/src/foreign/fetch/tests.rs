use super::HttpsJwksFetcher;
use crate::foreign::{FetchRules, JwksFetcher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server on the loopback interface, and how many connections it had.
struct Server {
    port: u16,
    connections: Arc<AtomicU32>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let port = listener.local_addr().expect("an address").port();
        let connections = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(answer(stream));
            }
        });
        Self { port, connections }
    }

    fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port)
    }
}

async fn answer(mut stream: TcpStream) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.expect("a request");
        request.push(byte);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default();
    let head = match path {
        "/keys" => "200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "/largest" => "200 OK\r\nContent-Length: 262144\r\n\r\n",
        "/declared" => "200 OK\r\nContent-Length: 1000000000\r\n\r\n",
        "/endless" => "200 OK\r\nConnection: close\r\n\r\n",
        "/redirect" => "302 Found\r\nLocation: /keys\r\nContent-Length: 0\r\n\r\n",
        "/cut" => "200 OK\r\nContent-Length: 10\r\n\r\n{}",
        "/created" => "201 Created\r\nContent-Length: 2\r\n\r\n{}",
        _ => "404 Not Found\r\nContent-Length: 0\r\n\r\n",
    };
    let mut open = stream.write_all(format!("HTTP/1.1 {head}").as_bytes()).await.is_ok();
    let mut pieces = if path == "/largest" { 256 } else { u32::MAX };
    while open && pieces > 0 && matches!(path, "/largest" | "/endless") {
        open = stream.write_all(&[b' '; 1024]).await.is_ok();
        pieces -= 1;
    }
}

const EVERYTHING: FetchRules = FetchRules { private_addresses: true, plain_http: true };

async fn fetch(rules: FetchRules, url: &str) -> Result<Vec<u8>, String> {
    HttpsJwksFetcher::new(rules).fetch(url).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn documents_are_fetched_up_to_their_limit() {
    let server = Server::start().await;
    assert_eq!(fetch(EVERYTHING, &server.url("127.0.0.1", "/keys")).await, Ok(b"{}".to_vec()));
    assert_eq!(fetch(EVERYTHING, &server.url("localhost", "/keys")).await, Ok(b"{}".to_vec()));
    assert_eq!(fetch(EVERYTHING, &server.url("127.0.0.1", "/largest")).await.map(|body| body.len()), Ok(256 * 1024));
    for path in ["/declared", "/endless"] {
        let error = fetch(EVERYTHING, &server.url("127.0.0.1", path)).await.expect_err("too large");
        assert!(error.contains("256 KiB"), "{path}: {error}");
    }
}

#[tokio::test]
async fn only_a_whole_answer_of_status_200_is_taken() {
    let server = Server::start().await;
    for (path, text) in
        [("/redirect", "redirect"), ("/missing", "404"), ("/created", "201"), ("/cut", "did not answer properly")]
    {
        let error = fetch(EVERYTHING, &server.url("127.0.0.1", path)).await.expect_err("refused");
        assert!(error.contains(text), "{path}: {error}");
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 4, "the redirect was not followed");
}

#[tokio::test]
async fn addresses_that_are_not_public_are_not_connected_to() {
    let server = Server::start().await;
    let rules = FetchRules { private_addresses: false, plain_http: true };
    for host in ["127.0.0.1", "localhost", "0x7f000001", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        let error = fetch(rules, &server.url(host, "/keys")).await.expect_err("refused");
        assert!(error.contains("not public"), "{host}: {error}");
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn without_tls_nothing_is_sent() {
    let server = Server::start().await;
    let rules = FetchRules { private_addresses: true, plain_http: false };
    assert!(fetch(rules, &server.url("127.0.0.1", "/keys")).await.expect_err("refused").contains("https"));
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_closed_port_tells_nothing_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let error = fetch(EVERYTHING, &format!("http://127.0.0.1:{port}/keys")).await.expect_err("refused");
    assert_eq!(error, "cannot be connected to, or its certificate is not trusted");
}
