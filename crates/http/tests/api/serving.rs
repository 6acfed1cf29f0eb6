//! Over a socket: what only the server around the API does.

mod heads;

use crate::documented;
use crate::support::Room;
use core::net::SocketAddr;
use core::time::Duration;
use serde_json::Value;
use strongroom_http::{ServeOptions, Settings, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Served {
    room: Room,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

/// Short times, so that tests don't wait; long enough for a busy machine.
const SHORT: Duration = Duration::from_millis(300);

async fn served(options: ServeOptions, settings: Settings) -> Served {
    serving(Room::with(settings).await, options).await
}

async fn serving(room: Room, options: ServeOptions) -> Served {
    room.secret("/a").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let api = room.api.clone();
    let server = tokio::spawn(serve(listener, api, options, async {
        let _ = stopped.await;
    }));
    Served { room, address, stop, server }
}

impl Served {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// Sends bytes and reads until the server closes.
    async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        let _ = stream.write_all(bytes).await;
        rest(&mut stream).await
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).await.expect("an orderly end");
    String::from_utf8(text).expect("UTF-8")
}

/// Reads one response, by its length.
async fn response(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        assert_eq!(stream.read(&mut byte).await.expect("a response"), 1, "{}", String::from_utf8_lossy(&text));
        text.push(byte[0]);
    }
    let head = String::from_utf8(text).expect("UTF-8");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().expect("a length"));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.expect("a body");
    head + &String::from_utf8(body).expect("UTF-8")
}

fn code(response: &str) -> Value {
    let body = response.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    let body: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {response}"));
    assert_eq!(
        body["requestId"].as_str().map(|id| response.contains(&format!("x-request-id: {id}"))),
        Some(true),
        "{response}"
    );
    body["code"].clone()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer admin\r\n\r\n")
}

#[tokio::test]
async fn keeps_connections_alive() {
    let served = served(ServeOptions::default(), Settings::default()).await;
    let mut stream = served.connect().await;
    for _ in 0..3 {
        stream.write_all(get("/v1/secrets/nl-01/secret/a").as_bytes()).await.expect("sent");
        assert!(response(&mut stream).await.starts_with("HTTP/1.1 200 OK\r\n"));
    }
    // Two at once, and a body that nobody reads in between.
    let both = format!(
        "{}POST /nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{{}}{}",
        get("/v1/regions"),
        get("/v1/regions")
    );
    stream.write_all(both.as_bytes()).await.expect("sent");
    assert!(response(&mut stream).await.starts_with("HTTP/1.1 200"));
    assert!(response(&mut stream).await.starts_with("HTTP/1.1 404"));
    assert!(response(&mut stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn head_sends_the_length_and_no_body() {
    let served = served(ServeOptions::default(), Settings::default()).await;
    let answer = served.exchange(b"HEAD /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(answer.contains("content-length: 15\r\n"), "{answer}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_sent() {
    let served = served(ServeOptions::default(), Settings::default()).await;
    let head = |length: usize| {
        format!(
            "POST /v1/secrets/nl-01/secret/a/versions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer admin\r\ncontent-length: {length}\r\n\r\n"
        )
    };
    let mut stream = served.connect().await;
    stream.write_all(head(300_000_000).as_bytes()).await.expect("sent");
    assert_eq!(code(&response(&mut stream).await), "body_too_large");
    // A client that sends it all the same can still read why.
    let mut bytes = head(400_000).into_bytes();
    bytes.resize(bytes.len() + 400_000, b' ');
    let answer = served.exchange(&bytes).await;
    assert_eq!(code(&answer), "body_too_large");
    // Without a length, when it has come too far.
    let mut bytes = b"POST /v1/secrets/nl-01/secret/a/versions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer admin\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..10 {
        bytes.extend_from_slice(b"10000\r\n");
        bytes.resize(bytes.len() + 0x10000, b' ');
        bytes.extend_from_slice(b"\r\n");
    }
    assert_eq!(code(&served.exchange(&bytes).await), "body_too_large");
}

#[tokio::test]
async fn a_slow_body_is_told_so() {
    let settings = Settings { body_timeout: SHORT, ..Settings::default() };
    let served = served(ServeOptions::default(), settings).await;
    let head = b"POST /v1/secrets/nl-01/secret/a/value HTTP/1.1\r\nhost: x\r\nauthorization: Bearer admin\r\ncontent-length: 20\r\n\r\n{";
    let answer = served.exchange(head).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(code(&answer), "request_timeout");
}

const PUT_BODY: &str = r#"{"secretString":"Yg=="}"#;

fn put() -> String {
    let head = "POST /v1/secrets/nl-01/secret/a/versions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer admin\r\ncontent-length:";
    format!("{head} {}\r\n\r\n{PUT_BODY}", PUT_BODY.len())
}

async fn current_version(room: &Room) -> Value {
    room.get("/v1/secrets/nl-01/secret/a").await.json()["currentVersion"].clone()
}

#[tokio::test]
async fn a_client_that_leaves_does_not_stop_a_change() {
    let room = Room::new().await;
    room.secret("/a").await;
    room.gate.reached.notified().await;
    room.gate.close();
    let request = http::Request::post("/v1/secrets/nl-01/secret/a/versions").header("authorization", "Bearer admin");
    let request =
        request.body(http_body_util::Full::new(bytes::Bytes::from_static(PUT_BODY.as_bytes()))).expect("a request");
    let api = room.api.clone();
    let client = tokio::spawn(async move { documented::begin(&api, request).await.status() });
    room.gate.reached.notified().await;
    client.abort();
    assert!(client.await.is_err_and(|error| error.is_cancelled()));
    assert_eq!(current_version(&room).await, 1);
    room.gate.open();
    let done = async {
        while current_version(&room).await == 1 {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), done).await.is_ok(), "the put is done");
}

#[tokio::test]
async fn the_server_waits_for_changes_whose_clients_have_left() {
    let served = served(ServeOptions::default(), Settings::default()).await;
    served.room.gate.reached.notified().await;
    served.room.gate.close();
    let mut stream = served.connect().await;
    stream.write_all(put().as_bytes()).await.expect("sent");
    served.room.gate.reached.notified().await;
    drop(stream);
    // A half request changes nothing, ever.
    let mut stream = served.connect().await;
    stream.write_all(&put().as_bytes()[..put().len() - 1]).await.expect("sent");
    drop(stream);
    served.stop.send(()).expect("running");
    served.room.gate.open();
    served.server.await.expect("stopped");
    assert_eq!(current_version(&served.room).await, 2);
}

#[tokio::test]
async fn stops_when_what_is_in_flight_is_done() {
    let served = served(ServeOptions::default(), Settings::default()).await;
    let (mut idle, mut busy) = (served.connect().await, served.connect().await);
    idle.write_all(get("/v1/regions").as_bytes()).await.expect("sent");
    assert!(response(&mut idle).await.starts_with("HTTP/1.1 200"));
    let body = r#"{"secretString":"Yg=="}"#;
    let head = format!(
        "POST /v1/secrets/nl-01/secret/a/versions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer admin\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    busy.write_all(head.as_bytes()).await.expect("sent");
    // The handler waits for the body now.
    let mut interim = [0; 25];
    busy.read_exact(&mut interim).await.expect("an interim answer");
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    served.stop.send(()).expect("running");
    assert_eq!(rest(&mut idle).await, "");
    assert!(TcpStream::connect(served.address).await.is_err());
    assert!(!served.server.is_finished());
    busy.write_all(body.as_bytes()).await.expect("sent");
    assert!(rest(&mut busy).await.starts_with("HTTP/1.1 201"));
    served.server.await.expect("stopped");
}

#[tokio::test]
async fn stops_in_time_whatever_is_in_flight() {
    let options = ServeOptions { drain_timeout: SHORT, ..ServeOptions::default() };
    let served = served(options, Settings::default()).await;
    let mut busy = served.connect().await;
    busy.write_all(b"POST /v1/secrets/nl-01/secret/a/versions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer admin\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n").await.expect("sent");
    let mut interim = [0; 25];
    busy.read_exact(&mut interim).await.expect("an interim answer");
    served.stop.send(()).expect("running");
    assert!(tokio::time::timeout(Duration::from_secs(20), served.server).await.is_ok(), "it stops");
}

#[tokio::test]
async fn connections_over_the_cap_wait() {
    let options = ServeOptions { max_connections: 1, ..ServeOptions::default() };
    let served = served(options, Settings::default()).await;
    let mut first = served.connect().await;
    first.write_all(get("/v1/regions").as_bytes()).await.expect("sent");
    assert!(response(&mut first).await.starts_with("HTTP/1.1 200"));
    let mut second = served.connect().await;
    second.write_all(get("/v1/regions").as_bytes()).await.expect("sent");
    let mut byte = [0];
    let early = tokio::time::timeout(SHORT, second.read(&mut byte)).await;
    assert!(early.is_err(), "the second is served while the first stands");
    drop(first);
    assert!(response(&mut second).await.starts_with("HTTP/1.1 200"));
}
