//! A hyper server as small as one can be.

use crate::Failure;
use bytes::Bytes;
use core::convert::Infallible;
use core::net::IpAddr;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Listens from its making on for SIGTERM and SIGINT; the future is done when one of them came.
///
/// # Errors
/// When signals can't be heard.
pub fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Answers requests until `stop` is done; then lets those that run end, and returns.
///
/// A server for strangers also bounds connections and the time that they take, as `strongroom_http::serve` does.
pub async fn serve<H, F, B>(listener: TcpListener, answer: H, stop: impl Future<Output = ()>)
where
    H: Fn(Request<Incoming>, IpAddr) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Failure>,
{
    let (connections, stopping) = (TaskTracker::new(), CancellationToken::new());
    let mut stop = core::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else { continue };
        let (answer, stopping) = (answer.clone(), stopping.clone());
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let answered = answer(request, peer.ip());
                async move { Ok::<_, Infallible>(answered.await) }
            });
            let connection =
                http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
            let mut connection = core::pin::pin!(connection);
            // What goes wrong on a connection concerns its client alone.
            let _ = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stopping.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
        });
    }
    stopping.cancel();
    connections.close();
    connections.wait().await;
}
