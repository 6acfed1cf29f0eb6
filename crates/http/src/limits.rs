//! What is refused before work is spent on it: requests beyond what the server handles at once, and callers that ask too often.

use crate::bulk::{BulkBytes, Share};
use crate::failure::{Failure, HttpCode};
use crate::metrics::{Counted, LimitMetrics};
use core::num::{NonZeroU32, NonZeroUsize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use strongroom_domain::port::Clock;
use strongroom_domain::principal::Principal;
use strongroom_domain::time::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A request's place among those that are handled at once; free again when dropped.
pub(crate) struct Slot {
    _permit: Option<OwnedSemaphorePermit>,
    _counted: Counted,
}

/// The limits of one API.
pub(crate) struct Limits {
    in_flight: Option<Arc<Semaphore>>,
    rate: Option<RateLimit>,
    bulk: Option<BulkBytes>,
    metrics: LimitMetrics,
}

/// How many values of one answer count as a request.
const VALUES_PER_REQUEST: u32 = 10;

impl Limits {
    /// `None` is no limit.
    pub(crate) fn new(
        in_flight: Option<NonZeroU32>,
        per_second: Option<NonZeroU32>,
        bulk_bytes: Option<NonZeroUsize>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let places = |limit: NonZeroU32| Arc::new(Semaphore::new(limit.get() as usize));
        let rate = |per_second| RateLimit { clock, per_second, buckets: Mutex::default() };
        Self {
            in_flight: in_flight.map(places),
            rate: per_second.map(rate),
            bulk: bulk_bytes.map(BulkBytes::new),
            metrics: LimitMetrics::new(),
        }
    }

    /// Takes a place, or refuses at once.
    pub(crate) fn admit(&self) -> Result<Slot, Failure> {
        let permit = self.in_flight.as_ref().map(|places| Arc::clone(places).try_acquire_owned()).transpose();
        let slot = permit.map(|permit| Slot { _permit: permit, _counted: Counted::on(&self.metrics.in_flight) });
        slot.map_err(|_| {
            self.metrics.overloaded.increment(1);
            let message = "The server handles as many requests as it may; try again shortly.";
            Failure::new(HttpCode::Overloaded, message)
        })
    }

    /// Counts a request of this principal, or refuses it.
    pub(crate) fn count(&self, principal: Principal) -> Result<(), Failure> {
        self.counted(principal, |_| 1)
    }

    /// Counts so many values that a request of this principal asks for, beyond what the request itself counts for, or refuses them. They
    /// never count for more than may be sent in a second, so that they can be had at all.
    pub(crate) fn count_values(&self, principal: Principal, values: u32) -> Result<(), Failure> {
        let beyond = values.div_ceil(VALUES_PER_REQUEST).saturating_sub(1);
        self.counted(principal, |per_second| beyond.min(per_second.get() - 1))
    }

    /// Waits for a share of the memory for answers with many values. `len`: the most bytes of values that the answer may have.
    pub(crate) async fn share(&self, len: usize) -> Result<Option<Share>, Failure> {
        let Some(bulk) = &self.bulk else { return Ok(None) };
        let share = bulk.take(len).await;
        share.map(Some).inspect_err(|_| self.metrics.overloaded.increment(1))
    }

    fn counted(&self, principal: Principal, requests: impl FnOnce(NonZeroU32) -> u32) -> Result<(), Failure> {
        let Some(rate) = &self.rate else { return Ok(()) };
        if rate.take(principal, requests(rate.per_second)) {
            return Ok(());
        }
        self.metrics.rate_limited.increment(1);
        let message = format!("You may send {} requests per second; try again in a second.", rate.per_second);
        Err(Failure::new(HttpCode::RateLimited, message))
    }
}

/// A bucket of tokens for each principal: it holds those of one second, a request takes one, and they come back evenly. So
/// the next one is never more than a second away.
struct RateLimit {
    clock: Arc<dyn Clock>,
    per_second: NonZeroU32,
    buckets: Mutex<Buckets>,
}

#[derive(Default)]
struct Buckets {
    of: HashMap<Principal, Bucket>,
    /// With how many buckets the full ones are next looked for.
    sweep_at: usize,
}

struct Bucket {
    /// In millionths of a token, as of `at`.
    level: u64,
    at: Timestamp,
}

/// One token.
const TOKEN: u64 = 1_000_000;
const SECOND_MICROS: u64 = 1_000_000;
/// Fewer buckets are not worth a look.
const MIN_SWEEP: usize = 1_024;

impl RateLimit {
    fn take(&self, principal: Principal, tokens: u32) -> bool {
        let now = self.clock.now();
        let full = self.capacity();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        // A full bucket says no more than none, so memory follows who asked within the last second.
        if buckets.of.len() >= buckets.sweep_at {
            buckets.of.retain(|_, bucket| self.level(bucket, now) < full);
            buckets.sweep_at = MIN_SWEEP.max(buckets.of.len() * 2);
        }
        let bucket = buckets.of.entry(principal).or_insert(Bucket { level: full, at: now });
        let level = self.level(bucket, now);
        let left = level.checked_sub(u64::from(tokens) * TOKEN);
        *bucket = Bucket { level: left.unwrap_or(level), at: now };
        left.is_some()
    }

    fn capacity(&self) -> u64 {
        u64::from(self.per_second.get()) * TOKEN
    }

    /// With N tokens per second, each microsecond brings N millionths. A clock that was set back brings nothing and takes nothing.
    fn level(&self, bucket: &Bucket, now: Timestamp) -> u64 {
        let micros = now.micros_since(bucket.at).min(SECOND_MICROS);
        (bucket.level + micros * u64::from(self.per_second.get())).min(self.capacity())
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, MIN_SWEEP, RateLimit};
    use core::num::NonZeroU32;
    use core::time::Duration;
    use std::sync::{Arc, Mutex};
    use strongroom_domain::id::UserId;
    use strongroom_domain::principal::Principal;
    use strongroom_domain::time::Timestamp;
    use strongroom_testkit::ManualClock;
    use uuid::Uuid;

    const START: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

    fn user(number: u128) -> Principal {
        Principal::User(UserId::new(Uuid::from_u128(number)))
    }

    fn limit(per_second: u32) -> (RateLimit, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(START));
        let per_second = NonZeroU32::new(per_second).expect("not zero");
        (RateLimit { clock: clock.clone(), per_second, buckets: Mutex::default() }, clock)
    }

    fn taken(limit: &RateLimit, principal: Principal) -> usize {
        (0..1_000).take_while(|_| limit.take(principal, 1)).count()
    }

    #[test]
    fn tokens_come_back_evenly_and_never_more_than_those_of_a_second() {
        let (limit, clock) = limit(3);
        assert_eq!(taken(&limit, user(1)), 3);
        clock.advance(Duration::from_micros(333_333));
        assert_eq!(taken(&limit, user(1)), 0);
        clock.advance(Duration::from_micros(1));
        assert_eq!(taken(&limit, user(1)), 1);
        clock.advance(Duration::from_secs(3_600));
        assert_eq!(taken(&limit, user(1)), 3);
    }

    #[test]
    fn refusals_cost_nothing() {
        let (limit, clock) = limit(1);
        assert!(limit.take(user(1), 1));
        for _ in 0..9 {
            clock.advance(Duration::from_millis(100));
            assert!(!limit.take(user(1), 1));
        }
        clock.advance(Duration::from_millis(100));
        assert!(limit.take(user(1), 1));
    }

    #[test]
    fn principals_have_their_own() {
        let (limit, _) = limit(2);
        assert_eq!(taken(&limit, user(1)), 2);
        assert_eq!(taken(&limit, user(2)), 2);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let (limit, clock) = limit(2);
        assert_eq!(taken(&limit, user(1)), 2);
        clock.set(Timestamp::from_micros(START.as_micros() - 3_600_000_000));
        assert_eq!(taken(&limit, user(1)), 0);
        clock.advance(Duration::from_secs(1));
        assert_eq!(taken(&limit, user(1)), 2);
    }

    #[test]
    fn who_stays_away_is_forgotten_and_who_asks_is_not() {
        let (limit, clock) = limit(1);
        for number in 0..10 * MIN_SWEEP as u128 {
            clock.advance(Duration::from_millis(10));
            assert!(limit.take(user(number), 1));
            assert!(!limit.take(user(number), 1));
        }
        assert!(limit.buckets.lock().expect("sound").of.len() <= MIN_SWEEP);
    }

    #[test]
    fn ten_values_count_as_a_request_and_never_for_more_than_a_second() {
        let clock = Arc::new(ManualClock::new(START));
        let limits = Limits::new(None, NonZeroU32::new(5), None, clock.clone());
        let left = |values| {
            clock.advance(Duration::from_secs(1));
            assert!(limits.count(user(1)).is_ok() && limits.count_values(user(1), values).is_ok(), "{values}");
            (0..10).take_while(|_| limits.count(user(1)).is_ok()).count()
        };
        for (values, expected) in [(0, 4), (1, 4), (10, 4), (11, 3), (20, 3), (21, 2), (50, 0), (100, 0), (u32::MAX, 0)]
        {
            assert_eq!(left(values), expected, "{values}");
        }
        clock.advance(Duration::from_secs(1));
        assert!(limits.count(user(1)).is_ok() && limits.count(user(1)).is_ok());
        assert!(limits.count_values(user(1), 100).is_err(), "what is left is not enough");
        assert!(limits.count_values(user(1), 40).is_ok(), "and is left");
    }

    #[test]
    fn no_limit_is_none() {
        let limits = Limits::new(None, None, None, Arc::new(ManualClock::new(START)));
        let slots: Result<Vec<_>, _> = (0..10_000).map(|_| limits.admit()).collect();
        assert!(slots.is_ok());
        assert!((0..10_000).all(|_| limits.count(user(1)).is_ok() && limits.count_values(user(1), 100).is_ok()));
    }
}
