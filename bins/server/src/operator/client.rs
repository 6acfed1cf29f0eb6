//! Calls a server on this machine.

use super::Body;
use super::token::BearerToken;
use crate::config::is_loopback;
use crate::failure::Failure;
use bytes::Bytes;
use core::fmt;
use core::str::FromStr;
use core::time::Duration;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use std::io::Write;
use strongroom_api::ErrorBody;
use tokio::net::TcpStream;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// How long a connection may take.
const CONNECTING: Duration = Duration::from_secs(5);
/// How long an answer may take: longer than the server waits for its database.
const ANSWERING: Duration = Duration::from_secs(60);
/// The largest answer, in bytes.
const MAX_ANSWER_LEN: usize = 256 * 1024 * 1024;

/// Where a server on this machine listens.
#[derive(Clone, Debug)]
pub(crate) struct ServerAddress {
    host: String,
    port: u16,
}

impl FromStr for ServerAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "must be the address of a server, such as http://127.0.0.1:8200";
        let uri: Uri = text.parse().map_err(|_| wrong)?;
        let is_plain = uri.scheme_str() == Some("http") && uri.path() == "/" && uri.query().is_none();
        let host = uri.host().filter(|_| is_plain && !text.contains(['@', '#'])).ok_or(wrong)?;
        if !is_loopback(host) {
            return Err(
                "is not on this machine: the token would cross the network readable, because this release has no TLS \
                        yet; run this command on the server's machine",
            );
        }
        Ok(Self { host: host.to_owned(), port: uri.port_u16().unwrap_or(80) })
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Calls one server, as one caller.
pub(crate) struct Client {
    address: ServerAddress,
    token: BearerToken,
    /// What every request carries besides.
    headers: Vec<(&'static str, String)>,
}

impl Client {
    pub(crate) const fn new(address: ServerAddress, token: BearerToken) -> Self {
        Self { address, token, headers: Vec::new() }
    }

    /// Sends this header with every request, where there is a value.
    pub(crate) fn header(mut self, name: &'static str, value: Option<String>) -> Self {
        self.headers.extend(value.map(|value| (name, value)));
        self
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Body, Failure> {
        self.call(Method::GET, path, None).await
    }

    /// The body is JSON that could be written, or why it could not.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Result<Vec<u8>, serde_json::Error>,
    ) -> Result<Body, Failure> {
        let body = body.map_err(|error| Failure::runtime("the request cannot be written").because(error))?;
        self.call(method, path, Some(body)).await
    }

    /// The body of an answer below 300; of another one its message, as the failure.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Body, Failure> {
        let request = self.request(method, path, body)?;
        let stream = self.connect().await?;
        let unanswered = |why: String| {
            Failure::runtime(format!("the server at {} {why}; what was asked may have been done", self.address))
        };
        let answer = timeout(ANSWERING, exchange(stream, request)).await;
        let answer =
            answer.map_err(|_| unanswered(format!("did not answer within {} seconds", ANSWERING.as_secs())))?;
        let (status, body) =
            answer.map_err(|error| unanswered("hung up before its answer".to_owned()).because(error))?;
        if status.is_success() { Ok(body) } else { Err(self.refusal(status, &body)) }
    }

    /// Writes the body of an answer as it comes, which may be longer than memory; one that breaks off is a failure.
    pub(crate) async fn download(&self, path: &str, to: &mut (dyn Write + Send)) -> Result<(), Failure> {
        let request = self.request(Method::GET, path, None)?;
        let stream = self.connect().await?;
        let broken = |error: Box<dyn core::error::Error + Send + Sync>| {
            Failure::runtime(format!("the answer of the server at {} broke off", self.address)).because(error)
        };
        let answer = timeout(ANSWERING, begin(stream, request)).await;
        let answer = answer.map_err(|error| broken(error.into()))?.map_err(broken)?;
        let status = answer.status();
        let mut body = answer.into_body();
        if !status.is_success() {
            return Err(self.refusal(status, &collect(body).await.map_err(broken)?));
        }
        let unwritten = |error| Failure::runtime("the answer cannot be written").because(error);
        loop {
            let frame = timeout(ANSWERING, body.frame()).await.map_err(|error| broken(error.into()))?;
            let Some(frame) = frame else { break };
            if let Ok(data) = frame.map_err(|error| broken(error.into()))?.into_data() {
                to.write_all(&data).map_err(unwritten)?;
            }
        }
        to.flush().map_err(unwritten)
    }

    fn request(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Request<Full<Bytes>>, Failure> {
        let mut credentials = Zeroizing::new(b"Bearer ".to_vec());
        credentials.extend_from_slice(self.token.expose());
        let mut credentials = HeaderValue::from_bytes(&credentials)
            .map_err(|error| Failure::runtime(format!("{} is no token", self.token.source())).because(error))?;
        credentials.set_sensitive(true);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .header(AUTHORIZATION, credentials);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        request
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|error| Failure::runtime("the request cannot be made").because(error))
    }

    async fn connect(&self) -> Result<TcpStream, Failure> {
        let absent = || {
            Failure::runtime(format!(
                "no server answers at {}; start it with `strongroomd serve`, or name its address with --addr or STRONGROOM_ADDR",
                self.address
            ))
        };
        let host = self.address.host.trim_start_matches('[').trim_end_matches(']');
        let stream = timeout(CONNECTING, TcpStream::connect((host, self.address.port)))
            .await
            .map_err(|_| absent())?
            .map_err(|error| absent().because(error))?;
        // A name may lead anywhere.
        match stream.peer_addr() {
            Ok(peer) if peer.ip().to_canonical().is_loopback() => Ok(stream),
            Ok(peer) => Err(Failure::runtime(format!("{} leads to {peer}, which is another machine", self.address))),
            Err(error) => Err(absent().because(error)),
        }
    }

    fn refusal(&self, status: StatusCode, body: &[u8]) -> Failure {
        match serde_json::from_slice::<ErrorBody>(body) {
            Ok(error) if status == StatusCode::UNAUTHORIZED => {
                Failure::runtime(error.message).because(format!("the token is that of {}", self.token.source()))
            }
            Ok(error) => Failure::runtime(error.message),
            Err(error) => {
                let message = format!("{} answered with status {status}, and not as a Strongroom server", self.address);
                Failure::runtime(message).because(error)
            }
        }
    }
}

async fn exchange(
    stream: TcpStream,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Body), Box<dyn core::error::Error + Send + Sync>> {
    let answer = begin(stream, request).await?;
    Ok((answer.status(), collect(answer.into_body()).await?))
}

async fn begin(
    stream: TcpStream,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, Box<dyn core::error::Error + Send + Sync>> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Its errors are those of the request too.
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

async fn collect(mut body: Incoming) -> Result<Body, Box<dyn core::error::Error + Send + Sync>> {
    let mut bytes = Body::default();
    while let Some(frame) = body.frame().await {
        let frame = frame?;
        let data = frame.data_ref().map(Bytes::as_ref).unwrap_or_default();
        let needed = bytes.len() + data.len();
        if needed > MAX_ANSWER_LEN {
            return Err("its answer is too long".into());
        }
        if needed > bytes.capacity() {
            // Growing in place would leave a copy behind.
            let mut larger = Body::new(Vec::with_capacity(needed * 2));
            larger.extend_from_slice(&bytes);
            bytes = larger;
        }
        bytes.extend_from_slice(data);
    }
    Ok(bytes)
}

/// What an answer says.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        Failure::runtime("the answer of the server cannot be understood; --json shows it").because(error)
    })
}

#[cfg(test)]
mod tests {
    use super::ServerAddress;

    #[test]
    fn only_this_machine_is_called() {
        let shown = |text: &str| text.parse::<ServerAddress>().map(|address| address.to_string());
        assert_eq!(shown("http://127.0.0.1:8200").as_deref(), Ok("127.0.0.1:8200"));
        assert_eq!(shown("http://127.0.0.1:8200/").as_deref(), Ok("127.0.0.1:8200"));
        assert_eq!(shown("http://[::1]:8200").as_deref(), Ok("[::1]:8200"));
        assert_eq!(shown("http://localhost").as_deref(), Ok("localhost:80"));
        for bad in [
            "",
            "127.0.0.1:8200",
            "https://127.0.0.1",
            "http://127.0.0.1/x",
            "http://u@127.0.0.1",
            "http://127.0.0.1?x",
        ] {
            assert!(shown(bad).is_err_and(|rule| rule.starts_with("must be")), "{bad}");
        }
        for elsewhere in ["http://10.0.0.1:8200", "http://example.com", "http://127.0.0.1.example.com", "http://[::2]"]
        {
            assert!(shown(elsewhere).is_err_and(|rule| rule.contains("no TLS")), "{elsewhere}");
        }
    }
}
