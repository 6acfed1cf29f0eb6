//! The API behind a listener.

mod connection;
mod guard;
mod timer;

use crate::api::Api;
use crate::metrics::{ConnectionMetrics, Counted};
use connection::Connection;
use core::time::Duration;
use std::io::{Error, ErrorKind};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long to wait when the process has no room for another connection.
const NO_ROOM: Duration = Duration::from_millis(100);

/// Bounds of connections. Those of single requests are in [`Settings`](crate::Settings).
#[derive(Clone, Copy, Debug)]
pub struct ServeOptions {
    /// How many connections are served at once; more wait to be accepted.
    pub max_connections: usize,
    /// How many bytes the head of a request may have.
    pub max_head_len: usize,
    /// How long the head of a request may take to arrive.
    pub head_timeout: Duration,
    /// How long a connection may idle between requests.
    pub idle_timeout: Duration,
    /// How long a client may take nothing of its answer.
    pub write_timeout: Duration,
    /// How long requests in flight may go on after the stop.
    pub drain_timeout: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            max_connections: 4096,
            max_head_len: 16 * 1024,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(20),
        }
    }
}

/// Serves until `stop` is done; then takes no more connections, lets requests in flight finish for as long as
/// [`drain_timeout`](ServeOptions::drain_timeout) allows, and cuts off the rest.
pub async fn serve(listener: TcpListener, api: Api, options: ServeOptions, stop: impl Future<Output = ()>) {
    let room = Arc::new(Semaphore::new(options.max_connections));
    let connections = TaskTracker::new();
    let stopping = CancellationToken::new();
    let cutting = CancellationToken::new();
    let metrics = ConnectionMetrics::new(options.max_connections);
    let mut stop = core::pin::pin!(stop);
    loop {
        let accepted = async {
            let permit = Arc::clone(&room).acquire_owned().await.ok();
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Answers are written whole; waiting for more to send would only delay them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "cannot set TCP_NODELAY");
                }
                let connection = Connection { api: api.clone(), options, peer: peer.ip(), stopping: stopping.clone() };
                let cut = cutting.clone();
                metrics.accepted.increment(1);
                let open = Counted::on(&metrics.open);
                connections.spawn(async move {
                    tokio::select! {
                        biased;
                        () = cut.cancelled() => {}
                        () = connection.run(stream) => {}
                    }
                    drop((permit, open));
                });
            }
            Err(error) if is_of_one_connection(&error) => {
                metrics.failed.increment(1);
                tracing::debug!(%error, "a connection was not accepted");
            }
            Err(error) => {
                metrics.failed.increment(1);
                // Most often: no file descriptors left. Connections that end make room.
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(NO_ROOM).await;
            }
        }
    }
    drop(listener);
    stopping.cancel();
    connections.close();
    let drained = async {
        connections.wait().await;
        api.drained().await;
    };
    if tokio::time::timeout(options.drain_timeout, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests in flight did not finish in time and are cut off");
        cutting.cancel();
        connections.wait().await;
    }
}

fn is_of_one_connection(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused)
}
