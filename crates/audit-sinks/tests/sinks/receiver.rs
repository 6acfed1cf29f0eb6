//! A receiver of webhooks: a real HTTP server on this machine.

use bytes::Bytes;
use core::convert::Infallible;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

/// How one request is answered.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Status(u16),
    /// With a redirect to itself.
    Redirect,
    /// With so many bytes.
    Long(usize),
    Never,
}

/// Head and body of a request.
pub(crate) type Received = (HeaderMap, Vec<u8>);

#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<Vec<Answer>>>,
    /// Longer bodies are answered with 413.
    limit: usize,
}

impl Receiver {
    /// Answers in this order, and then with 200.
    pub(crate) async fn start(answers: &[Answer], limit: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let receiver = Self::at(listener.local_addr().expect("an address"), answers, limit);
        let served = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(served.clone().serve(stream));
            }
        });
        receiver
    }

    /// One that doesn't listen by itself.
    pub(crate) fn at(address: SocketAddr, answers: &[Answer], limit: usize) -> Self {
        let answers = Arc::new(Mutex::new(answers.iter().rev().copied().collect()));
        Self { address, requests: Arc::default(), answers, limit }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/audit?from=strongroom", self.address)
    }

    /// What came, whether it was taken or not.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.requests.lock().expect("unpoisoned").clone()
    }

    pub(crate) async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let service = service_fn(|request| self.answer(request));
        // Clients may go away.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        assert_eq!((head.method.as_str(), head.uri.path()), ("POST", "/audit"));
        let body = body.collect().await.expect("whole").to_bytes().to_vec();
        let is_long = body.len() > self.limit;
        self.requests.lock().expect("unpoisoned").push((head.headers, body));
        if is_long {
            return Ok(response(413, 0));
        }
        let answer = self.answers.lock().expect("unpoisoned").pop().unwrap_or(Answer::Status(200));
        Ok(match answer {
            Answer::Status(status) => response(status, 0),
            Answer::Long(len) => response(200, len),
            Answer::Redirect => {
                let mut response = response(307, 0);
                response.headers_mut().insert("location", self.url().parse().expect("a header"));
                response
            }
            Answer::Never => core::future::pending().await,
        })
    }
}

fn response(status: u16, len: usize) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::new(Bytes::from(vec![b'x'; len]))).expect("a response")
}
