//! The API as one function from request to response.

use crate::answer::{Answer, ResponseBody, without_body};
use crate::base_path::BasePath;
use crate::body::{BodyLimits, BoxError, RequestBody};
use crate::bulk::DEFAULT_BULK_BYTES;
use crate::call::{Attempt, Call, Ended};
use crate::client;
use crate::failure::{Failure, HttpCode};
use crate::limits::{Limits, Slot};
use crate::metrics::RequestMetrics;
use crate::oauth;
use crate::openapi;
use crate::query::Query;
use crate::routes::{self, Route};
use bytes::Bytes;
use core::net::IpAddr;
use core::num::{NonZeroU32, NonZeroUsize};
use core::panic::AssertUnwindSafe;
use core::time::Duration;
use futures_util::FutureExt;
use http::header::USER_AGENT;
use http::request::Parts;
use http::{Method, Request, Response};
use http_body::Body;
use ipnet::IpNet;
use std::sync::Arc;
use strongroom::{Code, Engine, Error};
use strongroom_domain::audit::RequestInfo;
use strongroom_domain::id::RequestId;
use strongroom_domain::port::{Clock, IdGenerator};
use tokio_util::task::TaskTracker;

/// What an operator may set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Proxies whose word on a client's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long a whole call may take; after that the caller gets 503. A change that has begun is still brought to its end.
    pub request_timeout: Duration,
    /// Whether a value that is not base64 is taken as it stands, for clients that send key/values unencoded.
    pub plain_values: bool,
    /// How many requests may be handled at once; more are answered 503. Health is asked beside them. `None`: no limit.
    pub max_in_flight: Option<NonZeroU32>,
    /// How many requests per second one principal may send, and so many at once; more are answered 429. `None`: no limit.
    pub max_per_second: Option<NonZeroU32>,
    /// How many bytes of values all answers with many values may hold together, from before they are revealed until they have been sent.
    /// Such an answer waits a little for its share, and is 503 then. `None`: no limit.
    pub max_bulk_bytes: Option<NonZeroUsize>,
    /// Where the API is mounted in a server of one's own: what stands before its paths in the addresses that clients know. Requests are
    /// handed over without it. Empty unless it is mounted.
    pub base_path: BasePath,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            body_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(60),
            plain_values: false,
            max_in_flight: None,
            max_per_second: None,
            max_bulk_bytes: NonZeroUsize::new(DEFAULT_BULK_BYTES),
            base_path: BasePath::default(),
        }
    }
}

/// A request's route, and what belongs to it.
type Admitted = (&'static Route, Query, routes::Place, Option<Slot>);

/// The HTTP API over an engine. Cheap to clone; needs a Tokio runtime around it, and no socket.
#[derive(Clone)]
pub struct Api {
    engine: Arc<Engine>,
    ids: Arc<dyn IdGenerator>,
    clock: Arc<dyn Clock>,
    settings: Arc<Settings>,
    limits: Arc<Limits>,
    changes: TaskTracker,
    metrics: Arc<RequestMetrics>,
    document: Arc<openapi::Text>,
}

impl Api {
    /// `ids` names requests; `clock` measures them, and how many a principal sends.
    #[must_use]
    pub fn new(engine: Arc<Engine>, ids: Arc<dyn IdGenerator>, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        let (in_flight, per_second, bulk) = (settings.max_in_flight, settings.max_per_second, settings.max_bulk_bytes);
        let limits = Arc::new(Limits::new(in_flight, per_second, bulk, Arc::clone(&clock)));
        let document = Arc::new(openapi::Text::new(settings.base_path.clone()));
        let (settings, metrics) = (Arc::new(settings), Arc::new(RequestMetrics::new()));
        Self { engine, ids, clock, settings, limits, changes: TaskTracker::new(), metrics, document }
    }

    /// Answers one request. `peer`: the connection's other end.
    ///
    /// Never fails: whatever goes wrong is an answer too. A change runs to its end also when this future is dropped.
    pub async fn handle<B>(&self, request: Request<B>, peer: IpAddr) -> Response<ResponseBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let started = self.clock.now();
        let id = self.request_id();
        let (parts, body) = request.into_parts();
        let method = parts.method.clone();
        let (route, outcome) = match self.admit(&parts) {
            Ok((route, query, place, slot)) => {
                let limits = BodyLimits {
                    timeout: self.settings.body_timeout,
                    max_value_len: self.engine.limits().max_value_len,
                };
                let body = RequestBody::new(&parts.headers, body, limits);
                let call = Call {
                    engine: Arc::clone(&self.engine),
                    settings: Arc::clone(&self.settings),
                    limits: Arc::clone(&self.limits),
                    document: Arc::clone(&self.document),
                    query,
                    place,
                    request: self.request_info(id, &parts, peer),
                    needs: route.needs,
                    leaves_records: route.leaves_records(),
                    headers: parts.headers,
                    uri: parts.uri,
                };
                (route.template, self.run(route, Attempt::new(call), body, slot).await)
            }
            Err((template, failure)) => {
                // Counted, not written: whoever sheds load must not wait for anything.
                let request = self.request_info(id, &parts, peer);
                self.engine.count_unidentified(failure.code(), failure.status().as_u16(), &request);
                (template, Err(failure))
            }
        };
        let micros = self.clock.now().micros_since(started);
        let status = Seen { method: method.as_str(), route, id, micros }.report(&outcome);
        self.metrics.answered(method.as_str(), route, status, Duration::from_micros(micros));
        let response = match outcome {
            Ok(answer) => answer.into_response(id),
            Err(failure) if oauth::is_spoken_at(route) => failure.into_oauth_response(id),
            Err(failure) => failure.into_response(id),
        };
        if method == Method::HEAD { without_body(response) } else { response }
    }

    /// The answer to what could not be read as a request.
    pub(crate) fn refuse(&self, failure: Failure, peer: IpAddr) -> Response<ResponseBody> {
        let id = self.request_id();
        let request = Arc::new(RequestInfo { client: Some(peer.to_canonical()), ..RequestInfo::embedded(id) });
        self.engine.count_unidentified(failure.code(), failure.status().as_u16(), &request);
        let outcome = Err(failure);
        let status = Seen { method: "", route: "", id, micros: 0 }.report(&outcome);
        self.metrics.answered("", "", status, Duration::ZERO);
        match outcome {
            Ok(answer) => Answer::into_response(answer, id),
            Err(failure) => failure.into_response(id),
        }
    }

    /// Waits until no change is running any more: one that has begun goes on when its caller has gone, also behind a closed connection.
    /// Whoever stops a server hands over no more requests, waits for this, and only then closes the store. It takes as long as the changes
    /// do; whoever can't wait that long puts a limit around it, and loses no more than a crash would.
    pub async fn drained(&self) {
        self.changes.close();
        self.changes.wait().await;
    }

    /// Finds the route of a request, and a place for it among those in flight. A refusal tells the route's template, if it was found.
    fn admit(&self, parts: &Parts) -> Result<Admitted, (&'static str, Failure)> {
        let lost = |failure| ("", failure);
        let query = Query::parse(parts.uri.query()).map_err(lost)?;
        let (route, place) = routes::find(&parts.method, parts.uri.path(), &query).map_err(lost)?;
        let refused = |failure| (route.template, failure);
        let slot = if route.is_health() { None } else { Some(self.limits.admit().map_err(refused)?) };
        Ok((route, query, place, slot))
    }

    fn request_id(&self) -> RequestId {
        RequestId::new(self.ids.next())
    }

    fn request_info(&self, id: RequestId, parts: &Parts, peer: IpAddr) -> Arc<RequestInfo> {
        let address = client::address(peer, &parts.headers, &self.settings.trusted_proxies);
        let user_agent = parts.headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
        Arc::new(RequestInfo::http(id, address, user_agent.as_deref(), parts.method.as_str(), parts.uri.path()))
    }

    /// A place is held for as long as there is work: a change keeps its own also when nobody waits for it any more.
    async fn run(
        &self,
        route: &'static Route,
        attempt: Attempt,
        body: RequestBody,
        slot: Option<Slot>,
    ) -> Result<Answer, Failure> {
        let attempt = Arc::new(attempt);
        let running = AssertUnwindSafe((route.handler)(Arc::clone(&attempt), body)).catch_unwind();
        let running = running.map(|outcome| match outcome {
            Ok(outcome) => Ended::Handled(outcome),
            // What a panic says may hold anything; the route is enough to find it.
            Err(_) => {
                tracing::error!(route = route.template, "a handler panicked");
                Ended::CutShort(Failure::internal())
            }
        });
        let limit = self.settings.request_timeout;
        if route.changes() {
            // Recorded inside the task: it goes on also when nobody waits, and ends in a record then too.
            let task = self.changes.spawn(async move {
                let outcome = attempt.recorded(running.await).await;
                outcome.map(|answer| answer.holding(slot))
            });
            return match tokio::time::timeout(limit, task).await {
                Ok(joined) => joined.unwrap_or_else(|_| Err(Failure::internal())),
                Err(_) => Err(timed_out(route, limit)),
            };
        }
        let ended = {
            let mut running = core::pin::pin!(running);
            let ended = tokio::time::timeout(limit, &mut running).await;
            // Before the handler is dropped.
            ended.unwrap_or_else(|_| {
                attempt.give_up();
                Ended::CutShort(timed_out(route, limit))
            })
        };
        attempt.recorded(ended).await.map(|answer| answer.holding(slot))
    }
}

fn timed_out(route: &Route, limit: Duration) -> Failure {
    let seconds = limit.as_secs();
    if route.changes() {
        let message = format!(
            "It took longer than {seconds} s and may still be done. Read before you repeat it, or repeat it with the same Idempotency-Key."
        );
        Error::new(Code::OutcomeUnknown, message).into()
    } else {
        Failure::new(HttpCode::TimedOut, format!("It took longer than {seconds} s; try again shortly."))
    }
}

/// What the log tells of a request: never a header, a query, a body, or the path of a secret.
struct Seen<'a> {
    method: &'a str,
    route: &'a str,
    id: RequestId,
    micros: u64,
}

impl Seen<'_> {
    /// Gives the status.
    fn report(&self, outcome: &Result<Answer, Failure>) -> u16 {
        let Self { method, route, id, micros } = self;
        let status = match outcome {
            Ok(answer) => answer.status().as_u16(),
            Err(failure) => failure.status().as_u16(),
        };
        if let Err(failure) = outcome
            && failure.status().is_server_error()
        {
            let (code, causes) = (failure.code(), failure.causes());
            tracing::error!(request = %id, route, status, code, causes, "a request failed");
        }
        tracing::debug!(request = %id, method, route, status, micros, "request");
        status
    }
}
