//! One connection, from its first byte to its last.

use super::ServeOptions;
use super::guard::{Guarded, Phase, Watch, is_empty_lines};
use super::timer::{Due, Timer};
use crate::answer::ResponseBody;
use crate::api::Api;
use crate::failure::{Failure, HttpCode};
use core::convert::Infallible;
use core::future::poll_fn;
use core::net::IpAddr;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Collected};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

/// How long, and how much, is still read of a client that is to hear why it was refused.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_LEN: usize = 4 * 1024 * 1024;

pub(super) struct Connection {
    pub(super) api: Api,
    pub(super) options: ServeOptions,
    pub(super) peer: IpAddr,
    pub(super) stopping: CancellationToken,
}

/// How the HTTP library left a connection.
enum End {
    /// It is done, or broken.
    Closed,
    /// What came is not a request: say so.
    Refused(Failure),
    /// Nothing came since the last answer, but the library may hold the beginning of a request that came before.
    Silent,
}

impl Connection {
    pub(super) async fn run(self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let watch = Arc::new(Watch::default());
        let (api, peer, seen) = (self.api.clone(), self.peer, Arc::clone(&watch));
        let service = service_fn(move |request: Request<Incoming>| {
            seen.request_begins();
            let (api, watch) = (api.clone(), Arc::clone(&seen));
            Box::pin(async move {
                let end = Told { watch: Arc::clone(&watch), what: Watch::body_dropped };
                let response = api.handle(request.map(|body| Watched { body, _end: end }), peer).await;
                let end = Told { watch, what: Watch::answer_ends };
                Ok::<_, Infallible>(response.map(|body| Watched { body, _end: end }))
            })
        });
        let mut http = http1::Builder::new();
        // Times are kept here: the library's own limit also ends idle connections, and ends them without an answer.
        http.max_header_size(self.options.max_head_len)
            .max_headers(MAX_HEADERS)
            .max_buf_size(HEAD_BUFFER.max(self.options.max_head_len))
            .header_read_timeout(None);
        let guarded = Guarded { stream, watch: Arc::clone(&watch) };
        let mut connection = http.serve_connection(TokioIo::new(guarded), service);

        let mut timer = Timer::new(self.options.head_timeout, watch.phase().1);
        let mut stopping = pin!(self.stopping.cancelled());
        let mut told = false;
        let mut held = false;
        let (mut stream, end) = loop {
            let end = poll_fn(|cx| {
                if !told && stopping.as_mut().poll(cx).is_ready() {
                    told = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
                // Before the library is asked: a body that is dropped later is still news to it.
                held = watch.holds_body();
                if let Poll::Ready(outcome) = connection.poll_without_shutdown(cx) {
                    return Poll::Ready(end(outcome.err(), watch.phase().0));
                }
                timer.poll(&self.options, watch.phase(), cx).map(|due| match due {
                    Due::Head => End::Refused(late_head(self.options.head_timeout)),
                    Due::Look => End::Silent,
                    Due::Close => End::Closed,
                })
            })
            .await;
            let parts = connection.into_parts();
            match end {
                // What comes next would be of a body that is not read yet; put together again, the library would not know.
                End::Silent if held => break (parts.io.into_inner().stream, End::Closed),
                // The library tells what it holds only when it is taken apart; now nothing is under way, so that it can be put
                // together again.
                End::Silent if is_empty_lines(&parts.read_buf) => {
                    connection = http.serve_connection(parts.io, parts.service);
                    told = false;
                    timer.stays_silent(&self.options);
                }
                End::Silent => {
                    break (parts.io.into_inner().stream, End::Refused(late_head(self.options.head_timeout)));
                }
                End::Closed | End::Refused(_) => break (parts.io.into_inner().stream, end),
            }
        };
        if let End::Refused(failure) = end {
            let answer = text(self.api.refuse(failure, self.peer)).await;
            if stream.write_all(&answer).await.is_err() {
                return;
            }
        }
        linger(&mut stream).await;
    }
}

/// Enough for every head within its size limit that a client sends in earnest. For each head the library reserves 64 bytes per header
/// that may come, so that no more than this is wise.
const MAX_HEADERS: usize = 1024;

/// The library needs this much at the least.
const HEAD_BUFFER: usize = 8192;

fn end(error: Option<hyper::Error>, phase: Phase) -> End {
    match error {
        // In the midst of an answer nothing can be added to it.
        Some(error) if error.is_parse() && matches!(phase, Phase::Idle | Phase::Head) => {
            End::Refused(if error.is_parse_too_large() {
                let message = "The head of the request is too large; send shorter or fewer headers.";
                Failure::new(HttpCode::HeadersTooLarge, message)
            } else {
                Failure::invalid("This is not an HTTP/1.1 request; this server speaks HTTP/1.1 without TLS.")
            })
        }
        Some(error) => {
            tracing::debug!(%error, "a connection broke");
            End::Closed
        }
        None => End::Closed,
    }
}

fn late_head(limit: Duration) -> Failure {
    let message = format!("The head of the request did not arrive within {} s; send it again.", limit.as_secs());
    Failure::new(HttpCode::RequestTimeout, message)
}

/// A whole response as bytes, the last one of its connection.
async fn text(response: Response<ResponseBody>) -> Vec<u8> {
    let (mut head, body) = response.into_parts();
    let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    head.headers.insert(CONNECTION, HeaderValue::from_static("close"));
    let mut text = format!("HTTP/1.1 {}\r\ncontent-length: {}\r\n", head.status, body.len()).into_bytes();
    for (name, value) in &head.headers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    text.extend_from_slice(&body);
    text
}

/// Ends the connection so that the client can read the answer: closing on unread input would reset the connection, and the answer
/// might be lost on the way.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut scratch = [0; 4096];
    let mut left = LINGER_LEN;
    let drain = async {
        while let Ok(len @ 1..) = stream.read(&mut scratch).await {
            left = left.saturating_sub(len);
            if left == 0 {
                return;
            }
        }
    };
    // Late or not, the connection ends here.
    let _ = tokio::time::timeout(LINGER, drain).await;
}

/// A body whose end the watch is told of.
struct Watched<B> {
    body: B,
    /// Dropped after the body.
    _end: Told,
}

/// Tells the watch when it is dropped.
struct Told {
    watch: Arc<Watch>,
    what: fn(&Watch),
}

impl Drop for Told {
    fn drop(&mut self) {
        (self.what)(&self.watch);
    }
}

impl<B: Body + Unpin> Body for Watched<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
