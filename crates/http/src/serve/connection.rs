//! One connection, from its first byte to its last.

use super::ServeOptions;
use super::guard::{Guarded, Phase, Watch};
use crate::answer::{BrokenAnswer, ResponseBody};
use crate::api::Api;
use crate::failure::{Failure, HttpCode};
use bytes::Bytes;
use core::convert::Infallible;
use core::future::poll_fn;
use core::net::IpAddr;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;
use http::header::CONNECTION;
use http::{HeaderValue, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Collected};
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
}

impl Connection {
    pub(super) async fn run(self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let watch = Arc::new(Watch::default());
        let (api, peer, seen) = (self.api.clone(), self.peer, Arc::clone(&watch));
        let service = service_fn(move |request| {
            seen.request_begins();
            let (api, watch) = (api.clone(), Arc::clone(&seen));
            Box::pin(async move {
                let response = api.handle(request, peer).await;
                Ok::<_, Infallible>(response.map(|body| WatchedBody { body, watch }))
            })
        });
        let mut http = http1::Builder::new();
        // Times are kept here: the library's own limit also ends idle connections, and ends them without an answer.
        http.max_header_size(self.options.max_head_len)
            .max_buf_size(HEAD_BUFFER.max(self.options.max_head_len))
            .header_read_timeout(None);
        let guarded = Guarded { stream, watch: Arc::clone(&watch) };
        let mut connection = http.serve_connection(TokioIo::new(guarded), service);

        let mut timer = pin!(tokio::time::sleep(self.options.head_timeout));
        let mut timed = watch.phase().1;
        let mut first = true;
        let mut stopping = pin!(self.stopping.cancelled());
        let mut told = false;
        let end = poll_fn(|cx| {
            if !told && stopping.as_mut().poll(cx).is_ready() {
                told = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            if let Poll::Ready(outcome) = connection.poll_without_shutdown(cx) {
                return Poll::Ready(end(outcome.err(), watch.phase().0));
            }
            let (phase, change) = watch.phase();
            if change != timed {
                timed = change;
                first = false;
                if let Some(limit) = self.limit(phase) {
                    timer.set(tokio::time::sleep(limit));
                }
            }
            if self.limit(phase).is_none() && !first {
                return Poll::Pending;
            }
            timer.as_mut().poll(cx).map(|()| match phase {
                Phase::Head => End::Refused(late_head(self.options.head_timeout)),
                Phase::Idle | Phase::Busy | Phase::Stalled => End::Closed,
            })
        })
        .await;
        let mut stream = connection.into_parts().io.into_inner().stream;
        if let End::Refused(failure) = end {
            let answer = text(self.api.refuse(failure, self.peer)).await;
            if stream.write_all(&answer).await.is_err() {
                return;
            }
        }
        linger(&mut stream).await;
    }

    /// How long a phase may last.
    const fn limit(&self, phase: Phase) -> Option<Duration> {
        match phase {
            Phase::Idle => Some(self.options.idle_timeout),
            Phase::Head => Some(self.options.head_timeout),
            // The handler has its own limits.
            Phase::Busy => None,
            Phase::Stalled => Some(self.options.write_timeout),
        }
    }
}

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

/// Tells the watch when nothing more of an answer will come.
struct WatchedBody {
    body: ResponseBody,
    watch: Arc<Watch>,
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        self.watch.answer_ends();
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = BrokenAnswer;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenAnswer>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
