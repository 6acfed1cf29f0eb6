//! Metrics: kept in this process, and told by a listener of their own.

use crate::failure::Failure;
use bytes::Bytes;
use core::convert::Infallible;
use core::net::SocketAddr;
use core::time::Duration;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use metrics::{Gauge, Unit, describe_gauge, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::Arc;
use strongroom_domain::time::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const PATH: &str = "/metrics";
/// The text format of Prometheus.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How many ask at once; more wait.
const MAX_CONNECTIONS: usize = 8;
/// How long one may take from connecting to the last byte of the answer.
const EXCHANGE: Duration = Duration::from_secs(10);
/// How long those who ask may still take when the server stops.
const GRACE: Duration = Duration::from_secs(1);
/// How often what was measured is gathered when nobody asks; else it would pile up.
const GATHER: Duration = Duration::from_secs(5);
/// How long to wait when the process has no room for another connection.
const NO_ROOM: Duration = Duration::from_millis(100);

/// The upper ends of the buckets of durations, in seconds.
const SECONDS: [f64; 16] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Those of numbers of jobs.
const JOBS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

const START_TIME: &str = "strongroom_start_time_seconds";
const BUILD_INFO: &str = "strongroom_build_info";
const TASKS: &str = "strongroom_runtime_tasks";
const QUEUE: &str = "strongroom_runtime_queue_tasks";

/// A listener, and what it tells.
pub(crate) struct Metrics {
    listener: TcpListener,
    address: SocketAddr,
    kept: PrometheusHandle,
    tasks: Gauge,
    queue: Gauge,
}

impl Metrics {
    /// Takes the address, and begins to keep what everything that is made from here on measures. To be called once. Without it
    /// nothing is kept.
    pub(crate) async fn start(address: SocketAddr, now: Timestamp) -> Result<Self, Failure> {
        let failed = || Failure::runtime(format!("the metrics cannot be served on {address}"));
        let listener = TcpListener::bind(address).await.map_err(|error| failed().because(error))?;
        let address = listener.local_addr().map_err(|error| failed().because(error))?;
        let kept = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_duration_seconds".to_owned()), &SECONDS)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_batch_jobs".to_owned()), &JOBS))
            .and_then(PrometheusBuilder::install_recorder)
            .map_err(|error| failed().because(error))?;
        describe_gauge!(START_TIME, Unit::Seconds, "When the server was started, since the beginning of 1970.");
        describe_gauge!(BUILD_INFO, Unit::Count, "Always 1; the label tells the release.");
        describe_gauge!(TASKS, Unit::Count, "Tasks of the runtime that have not ended.");
        describe_gauge!(QUEUE, Unit::Count, "Tasks that wait for a thread of the runtime.");
        gauge!(START_TIME).set(now.as_micros() as f64 / 1_000_000.0);
        gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        Ok(Self { listener, address, kept, tasks: gauge!(TASKS), queue: gauge!(QUEUE) })
    }

    /// The address that the listener got.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until it is told to stop.
    pub(crate) async fn serve(self, stop: CancellationToken) {
        let served = Arc::new(self);
        let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        let mut gather = tokio::time::interval(GATHER);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = gather.tick() => served.kept.run_upkeep(),
                Some(_) = connections.join_next() => {}
                (permit, accepted) = accept(&served.listener, &room) => match accepted {
                    Ok((stream, _)) => {
                        let served = Arc::clone(&served);
                        connections.spawn(async move {
                            // Who is late, or hangs up, has nothing to hear.
                            let _ = tokio::time::timeout(EXCHANGE, served.exchange(stream)).await;
                            drop(permit);
                        });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept connections for metrics");
                        tokio::time::sleep(NO_ROOM).await;
                    }
                },
            }
        }
        let ended = async { while connections.join_next().await.is_some() {} };
        // The rest is cut off.
        let _ = tokio::time::timeout(GRACE, ended).await;
    }

    /// One request and its answer.
    async fn exchange(&self, stream: TcpStream) {
        let service = service_fn(|request| async move { Ok::<_, Infallible>(self.answer(&request)) });
        let exchange = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service).await;
        if let Err(error) = exchange {
            tracing::debug!(%error, "a connection for metrics broke");
        }
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if request.uri().path() != PATH {
            return text(StatusCode::NOT_FOUND, "There is nothing at this URL; ask for /metrics.\n");
        }
        if request.method() != Method::GET {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "This method is not allowed here; what is: GET.\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
            return response;
        }
        let runtime = Handle::current().metrics();
        self.tasks.set(runtime.num_alive_tasks() as f64);
        self.queue.set(runtime.global_queue_depth() as f64);
        let mut response = text(StatusCode::OK, self.kept.render());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(FORMAT));
        response
    }
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, std::io::Result<(TcpStream, SocketAddr)>) {
    let permit = Arc::clone(room).acquire_owned().await.ok();
    (permit, listener.accept().await)
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
