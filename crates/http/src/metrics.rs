//! What is told of requests and connections. Labels name routes by their template, never by what a caller sent.

use crate::routes::ROUTES;
use core::time::Duration;
use metrics::{Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use std::sync::OnceLock;

const REQUESTS: &str = "strongroom_http_requests_total";
const DURATION: &str = "strongroom_http_request_duration_seconds";
const IN_FLIGHT: &str = "strongroom_http_requests_in_flight";
const REFUSED: &str = "strongroom_http_requests_refused_total";
const CONNECTIONS: &str = "strongroom_http_connections_open";
const CONNECTIONS_LIMIT: &str = "strongroom_http_connections_limit";
const ACCEPTED: &str = "strongroom_http_connections_accepted_total";
const NOT_ACCEPTED: &str = "strongroom_http_connections_failed_total";
const BULK_WAITING: &str = "strongroom_http_bulk_answers_waiting";
const LISTS: &str = "strongroom_http_lists_streaming";

/// Stands for route and method where a request has no route.
const NONE: &str = "none";

/// The statuses that are answered every day. Others are looked up when they come.
const STATUSES: [u16; 18] = [200, 201, 204, 400, 401, 403, 404, 405, 408, 409, 412, 413, 415, 422, 429, 431, 500, 503];

/// Counts requests. What a request needs is looked up when its route is first used.
pub(crate) struct RequestMetrics {
    routes: Box<[RouteMetrics]>,
    none: RouteMetrics,
}

struct RouteMetrics {
    method: &'static str,
    template: &'static str,
    duration: OnceLock<Histogram>,
    by_status: [OnceLock<Counter>; STATUSES.len()],
}

impl RequestMetrics {
    pub(crate) fn new() -> Self {
        describe_counter!(REQUESTS, Unit::Count, "Requests that were answered, by route, method and status.");
        describe_histogram!(DURATION, Unit::Seconds, "From the head of a request until its answer begins.");
        // So that it is told of before the first list.
        lists_streaming().increment(0.0);
        let routes = ROUTES.iter().map(|route| RouteMetrics::new(name(route.method.as_str()), route.template));
        Self { routes: routes.collect(), none: RouteMetrics::new(NONE, NONE) }
    }

    /// A request was answered. `template` is empty where there is no such route.
    pub(crate) fn answered(&self, method: &str, template: &str, status: u16, took: Duration) {
        let is_it = |route: &&RouteMetrics| route.template == template && route.method == method;
        self.routes.iter().find(is_it).unwrap_or(&self.none).answered(status, took);
    }
}

/// The methods of our routes.
fn name(method: &str) -> &'static str {
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|name| *name == method).unwrap_or(NONE)
}

impl RouteMetrics {
    const fn new(method: &'static str, template: &'static str) -> Self {
        Self { method, template, duration: OnceLock::new(), by_status: [const { OnceLock::new() }; STATUSES.len()] }
    }

    fn answered(&self, status: u16, took: Duration) {
        let (method, route) = (self.method, self.template);
        let duration = || metrics::histogram!(DURATION, "route" => route, "method" => method);
        self.duration.get_or_init(duration).record(took.as_secs_f64());
        let requests = || counter!(REQUESTS, "route" => route, "method" => method, "status" => status.to_string());
        match STATUSES.iter().position(|known| *known == status) {
            Some(at) => self.by_status[at].get_or_init(requests).increment(1),
            None => requests().increment(1),
        }
    }
}

/// What the limits of an API tell.
pub(crate) struct LimitMetrics {
    pub(crate) in_flight: Gauge,
    pub(crate) overloaded: Counter,
    pub(crate) rate_limited: Counter,
}

impl LimitMetrics {
    pub(crate) fn new() -> Self {
        describe_gauge!(IN_FLIGHT, Unit::Count, "Requests that are being handled, health checks left out.");
        describe_counter!(REFUSED, Unit::Count, "Requests that were refused because of a limit of load.");
        let refused = |reason: &'static str| counter!(REFUSED, "reason" => reason);
        Self { in_flight: gauge!(IN_FLIGHT), overloaded: refused("overloaded"), rate_limited: refused("rate_limited") }
    }
}

/// What a listener tells.
pub(crate) struct ConnectionMetrics {
    pub(crate) open: Gauge,
    pub(crate) accepted: Counter,
    pub(crate) failed: Counter,
}

impl ConnectionMetrics {
    pub(crate) fn new(limit: usize) -> Self {
        describe_gauge!(CONNECTIONS, Unit::Count, "Connections that are open.");
        describe_gauge!(CONNECTIONS_LIMIT, Unit::Count, "As many may be open; further ones wait to be accepted.");
        describe_counter!(ACCEPTED, Unit::Count, "Connections that were accepted.");
        describe_counter!(NOT_ACCEPTED, Unit::Count, "Connections that could not be accepted.");
        gauge!(CONNECTIONS_LIMIT).set(limit as f64);
        Self { open: gauge!(CONNECTIONS), accepted: counter!(ACCEPTED), failed: counter!(NOT_ACCEPTED) }
    }
}

/// Lists that are being sent page by page, with a page at the most that waits.
pub(crate) fn lists_streaming() -> Gauge {
    describe_gauge!(LISTS, Unit::Count, "Lists that are being sent page by page.");
    gauge!(LISTS)
}

/// Answers with many values that wait for the memory to hold them.
pub(crate) fn bulk_answers_waiting() -> Gauge {
    describe_gauge!(BULK_WAITING, Unit::Count, "Answers with many values that wait for room among all such answers.");
    gauge!(BULK_WAITING)
}

/// One more on a gauge, for as long as this lives.
pub(crate) struct Counted(Gauge);

impl Counted {
    pub(crate) fn on(gauge: &Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::{NONE, RequestMetrics, name};
    use crate::routes::ROUTES;

    #[test]
    fn every_route_has_its_own() {
        let metrics = RequestMetrics::new();
        assert_eq!(metrics.routes.len(), ROUTES.len());
        assert!(metrics.routes.iter().all(|route| route.method != NONE), "a method has no name");
        assert_eq!(name("BREW"), NONE);
    }
}
