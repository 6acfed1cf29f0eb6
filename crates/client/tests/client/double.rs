//! A server of HTTP/1.1 whose answers are told byte for byte.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use strongroom_client::{Client, ClientBuilder, Credentials, Retries, Sensitive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// Method and URL.
    pub(crate) line: String,
    /// Names in small letters.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What is done with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// These bytes; then it hangs up.
    Raw(Vec<u8>),
    /// Nothing, for ever.
    Hang,
    /// These bytes, and then nothing for ever.
    Stall(Vec<u8>),
    /// It hangs up.
    HangUp,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::with(status, "", body)
    }

    /// With more headers, each with the end of its line.
    pub(crate) fn with(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}Connection: close\r\n\r\n{body}"
        );
        Self::Raw(text.into_bytes())
    }

    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::json(status, &format!(r#"{{"message":"No.","code":"{code}","requestId":"req-1"}}"#))
    }
}

type Script = dyn Fn(usize, &Received) -> Reply + Send + Sync;

#[derive(Clone)]
pub(crate) struct Double {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    script: Arc<Script>,
}

impl Double {
    /// Answers each request, numbered from 0, as the script says.
    pub(crate) async fn start(script: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let address = listener.local_addr().expect("an address");
        let double = Self { address, received: Arc::default(), script: Arc::new(script) };
        let served = double.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let served = served.clone();
                tokio::spawn(async move { served.serve(stream).await });
            }
        });
        double
    }

    /// Answers in this order, and then with the last.
    pub(crate) async fn answering(replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies: Vec<_> = replies.into_iter().collect();
        Self::start(move |at, _| replies[at.min(replies.len() - 1)].clone()).await
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.received.lock().expect("unpoisoned").clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.requests().len()
    }

    /// A client that waits a short time only before it tries again.
    pub(crate) fn builder(&self) -> ClientBuilder {
        let shortest = Duration::from_millis(1);
        Client::builder(format!("http://{}", self.address))
            .credentials(Credentials::Token(Sensitive::from("tc_pat_x")))
            .retries(Retries { times: 3, first: shortest, longest: Duration::from_secs(2) })
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().expect("a client")
    }

    pub(crate) async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let Some(request) = read(&mut stream).await else { return };
        let at = {
            let mut received = self.received.lock().expect("unpoisoned");
            received.push(request.clone());
            received.len() - 1
        };
        // The client may have gone away.
        match (self.script)(at, &request) {
            Reply::Raw(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            }
            Reply::Stall(bytes) => {
                let _ = stream.write_all(&bytes).await;
                core::future::pending::<()>().await;
            }
            Reply::Hang => core::future::pending::<()>().await,
            Reply::HangUp => {}
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "measures a pause of the real clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head in ASCII");
    let mut lines = head.split("\r\n");
    let line = lines.next().expect("a first line").trim_end_matches(" HTTP/1.1").to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers: BTreeMap<_, _> = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().expect("a length"));
    let mut body = bytes.split_off(end);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received { line, headers, body: String::from_utf8(body).expect("a body in UTF-8") })
}
