//! What the engine tells of its caches and of what waits in it.

use core::hash::Hash;
use metrics::{Counter, Gauge, Unit, counter, describe_counter, describe_gauge, gauge};
use quick_cache::{Lifecycle, Weighter, sync::Cache};

const HITS: &str = "strongroom_cache_hits_total";
const MISSES: &str = "strongroom_cache_misses_total";
const EVICTIONS: &str = "strongroom_cache_evictions_total";
const ENTRIES: &str = "strongroom_cache_entries";
const BYTES: &str = "strongroom_cache_bytes";
const CHANGES_WAITING: &str = "strongroom_changes_waiting";
const CHANGES_RETRIED: &str = "strongroom_changes_retried_total";
const ANSWERS_IN_FLIGHT: &str = "strongroom_answers_in_flight";
const FAILURES_WAITING: &str = "strongroom_failures_waiting";

/// How often one cache spared the store, and how much it holds.
pub(crate) struct CacheMetrics {
    pub(crate) hits: Counter,
    /// Only of reads that a cache may serve.
    pub(crate) misses: Counter,
    entries: Gauge,
    /// Where it is bounded by bytes.
    bytes: Option<Gauge>,
}

impl CacheMetrics {
    /// `cache`: what the metrics call it.
    pub(crate) fn new(cache: &'static str) -> Self {
        describe_counter!(HITS, Unit::Count, "Reads that a cache served.");
        describe_counter!(MISSES, Unit::Count, "Reads that a cache might have served and the store did.");
        describe_gauge!(ENTRIES, Unit::Count, "Entries of a cache.");
        Self {
            hits: counter!(HITS, "cache" => cache),
            misses: counter!(MISSES, "cache" => cache),
            entries: gauge!(ENTRIES, "cache" => cache),
            bytes: None,
        }
    }

    /// As [`new`](Self::new), for a cache whose weights are bytes.
    pub(crate) fn of_bytes(cache: &'static str) -> Self {
        describe_gauge!(BYTES, Unit::Bytes, "About the memory that a cache takes.");
        Self { bytes: Some(gauge!(BYTES, "cache" => cache)), ..Self::new(cache) }
    }

    /// Tells how much the cache holds, after entries came or went.
    pub(crate) fn holds<K, V, W>(&self, cache: &Cache<K, V, W, quick_cache::DefaultHashBuilder, Evictions>)
    where
        K: Eq + Hash,
        V: Clone,
        W: Weighter<K, V> + Clone,
    {
        self.holds_entries(cache.len());
        if let Some(bytes) = &self.bytes {
            bytes.set(cache.weight() as f64);
        }
    }

    /// Tells how many entries there are.
    pub(crate) fn holds_entries(&self, entries: usize) {
        self.entries.set(entries as f64);
    }
}

/// Counts what a cache drops for want of room.
#[derive(Clone)]
pub(crate) struct Evictions(Counter);

impl Evictions {
    /// `cache`: what the metrics call it.
    pub(crate) fn new(cache: &'static str) -> Self {
        describe_counter!(EVICTIONS, Unit::Count, "Entries that a cache dropped, or did not take, for want of room.");
        Self(counter!(EVICTIONS, "cache" => cache))
    }
}

impl<K, V> Lifecycle<K, V> for Evictions {
    /// Dropped when the cache's lock is free again; few are evicted at once.
    type RequestState = [Option<(K, V)>; 2];

    fn on_evict(&self, state: &mut Self::RequestState, key: K, value: V) {
        self.0.increment(1);
        if let Some(free) = state.iter_mut().find(|place| place.is_none()) {
            *free = Some((key, value));
        }
    }
}

/// What waits in the engine.
pub(crate) struct EngineMetrics {
    /// Changes that wait for the turn of their secret.
    pub(crate) changes_waiting: Gauge,
    /// Changes that were tried again because another one was faster.
    pub(crate) changes_retried: Counter,
}

impl EngineMetrics {
    pub(crate) fn new() -> Self {
        describe_gauge!(CHANGES_WAITING, Unit::Count, "Changes that wait for the turn of their secret.");
        describe_counter!(CHANGES_RETRIED, Unit::Count, "Tries of changes that another change was faster than.");
        Self { changes_waiting: gauge!(CHANGES_WAITING), changes_retried: counter!(CHANGES_RETRIED) }
    }
}

/// Requests with an idempotency key that are running.
pub(crate) fn answers_in_flight() -> Gauge {
    describe_gauge!(ANSWERS_IN_FLIGHT, Unit::Count, "Requests with an idempotency key that are running.");
    gauge!(ANSWERS_IN_FLIGHT)
}

/// Failures that were counted and have no record yet.
pub(crate) fn failures_waiting() -> Gauge {
    describe_gauge!(FAILURES_WAITING, Unit::Count, "Failures that were counted and are not in the audit log yet.");
    gauge!(FAILURES_WAITING)
}

/// One more on a gauge, for as long as this lives.
pub(crate) struct Counted<'a>(&'a Gauge);

impl<'a> Counted<'a> {
    pub(crate) fn on(gauge: &'a Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
