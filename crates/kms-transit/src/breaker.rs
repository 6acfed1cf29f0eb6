//! Leaves a server alone that fails, so that nobody waits for it in vain and it can come back.

use core::cell::Cell;
use core::pin::pin;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};
use strongroom_domain::port::Clock;
use strongroom_domain::time::Timestamp;

/// After so many failures in a row nothing is asked any more …
pub(crate) const FAILURES: u32 = 5;
/// … for so long. Then one request tries.
pub(crate) const REST: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Requests pass; so many failed since the last that succeeded.
    Closed { failures: u32 },
    /// None pass.
    Open { since: Timestamp },
    /// One tries, and none other passes.
    HalfOpen { since: Timestamp, probe: u64 },
}

/// Counts failures, and tells whether a request may go out.
pub(crate) struct Breaker {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    probes: AtomicU64,
}

/// A request that may go out. One that is dropped without an outcome counts for nothing, as its caller went away; but as a failure when the time
/// of its operation was over.
pub(crate) struct Permit<'a> {
    breaker: &'a Breaker,
    /// Which probe it is, if it is one. Only that probe's failure or going away ends the state that it made.
    probe: Option<u64>,
    told: bool,
}

tokio::task_local! {
    /// Whether the time of this task's operation is over. A permit lies deep in the operation's future, and is dropped with it.
    static TIME_IS_OVER: Cell<bool>;
}

/// What comes of an operation; `None` when its time is over. Then a request that is still out counts as a failure, where it would count for nothing
/// if the caller went away.
pub(crate) async fn in_time<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let watched = async {
        let mut work = pin!(work);
        let outcome = tokio::time::timeout(limit, work.as_mut()).await.ok();
        TIME_IS_OVER.with(|over| over.set(outcome.is_none()));
        outcome
    };
    TIME_IS_OVER.scope(Cell::new(false), watched).await
}

impl Breaker {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::new(State::Closed { failures: 0 }), probes: AtomicU64::new(0) }
    }

    /// Leave for one request; `None` while the server is left alone.
    pub(crate) fn enter(&self) -> Option<Permit<'_>> {
        let now = self.clock.now();
        let permit = |probe| Permit { breaker: self, probe, told: false };
        self.with(|state| match *state {
            State::Closed { .. } => Some(permit(None)),
            // A clock that was set back must not keep it open.
            State::Open { since } if now < since || micros(now.micros_since(since)) >= REST => {
                let probe = self.probes.fetch_add(1, Ordering::Relaxed);
                *state = State::HalfOpen { since, probe };
                Some(permit(Some(probe)))
            }
            State::Open { .. } | State::HalfOpen { .. } => None,
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

const fn micros(count: u64) -> Duration {
    Duration::from_micros(count)
}

impl Permit<'_> {
    /// The server works.
    pub(crate) fn succeeded(mut self) {
        self.told = true;
        self.breaker.with(|state| *state = State::Closed { failures: 0 });
    }

    /// The server doesn't work.
    pub(crate) fn failed(mut self) {
        self.told = true;
        self.count_failure();
    }

    fn count_failure(&self) {
        let now = self.breaker.clock.now();
        self.breaker.with(|state| {
            *state = match *state {
                State::Closed { failures } if failures + 1 < FAILURES => State::Closed { failures: failures + 1 },
                State::Closed { .. } => State::Open { since: now },
                State::HalfOpen { probe, .. } if self.probe == Some(probe) => State::Open { since: now },
                // A request that went out before it opened.
                later @ (State::Open { .. } | State::HalfOpen { .. }) => later,
            }
        });
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.told {
            return;
        }
        if TIME_IS_OVER.try_with(Cell::get).unwrap_or(false) {
            return self.count_failure();
        }
        self.breaker.with(|state| match *state {
            State::HalfOpen { since, probe } if self.probe == Some(probe) => *state = State::Open { since },
            _ => {}
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Breaker, FAILURES, REST, in_time};
    use core::time::Duration;
    use std::sync::Arc;
    use strongroom_domain::time::Timestamp;
    use strongroom_testkit::ManualClock;

    fn breaker() -> (Breaker, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_000_000_000)));
        (Breaker::new(clock.clone()), clock)
    }

    fn fail(breaker: &Breaker, times: u32) {
        for _ in 0..times {
            breaker.enter().expect("passes").failed();
        }
    }

    #[test]
    fn it_opens_after_failures_in_a_row() {
        let (breaker, _) = breaker();
        fail(&breaker, FAILURES - 1);
        breaker.enter().expect("passes").succeeded();
        fail(&breaker, FAILURES - 1);
        assert!(breaker.enter().is_some());
        fail(&breaker, 1);
        assert!(breaker.enter().is_none());
    }

    #[test]
    fn after_a_rest_one_tries() {
        let (breaker, clock) = breaker();
        fail(&breaker, FAILURES);
        clock.advance(REST - Duration::from_micros(1));
        assert!(breaker.enter().is_none());
        clock.advance(Duration::from_micros(1));
        let one = breaker.enter().expect("passes");
        assert!(breaker.enter().is_none(), "only one");
        one.failed();
        assert!(breaker.enter().is_none(), "it rests again");
        clock.advance(REST);
        breaker.enter().expect("passes").succeeded();
        assert!(breaker.enter().is_some());
        fail(&breaker, FAILURES - 1);
        assert!(breaker.enter().is_some());
    }

    #[test]
    fn one_who_goes_away_lets_the_next_try() {
        let (breaker, clock) = breaker();
        fail(&breaker, FAILURES);
        clock.advance(REST);
        drop(breaker.enter().expect("passes"));
        assert!(breaker.enter().is_some());
    }

    #[test]
    fn requests_that_were_out_do_not_prolong_the_rest() {
        let (breaker, clock) = breaker();
        let out = breaker.enter().expect("passes");
        fail(&breaker, FAILURES);
        clock.advance(REST / 2);
        out.failed();
        clock.advance(REST / 2);
        assert!(breaker.enter().is_some());
    }

    #[test]
    fn requests_that_were_out_do_not_end_the_probe() {
        let (breaker, clock) = breaker();
        let [gone, failed, succeeded] = [(); 3].map(|()| breaker.enter().expect("passes"));
        fail(&breaker, FAILURES);
        clock.advance(REST);
        let probe = breaker.enter().expect("passes");
        drop(gone);
        assert!(breaker.enter().is_none(), "one tries already");
        failed.failed();
        clock.advance(REST);
        assert!(breaker.enter().is_none(), "it still tries");
        // The server works, so that the probe is one no more when it opens again.
        succeeded.succeeded();
        fail(&breaker, FAILURES);
        clock.advance(REST);
        let next = breaker.enter().expect("passes");
        drop(probe);
        assert!(breaker.enter().is_none(), "another tries");
        next.succeeded();
        assert!(breaker.enter().is_some());
    }

    #[tokio::test]
    async fn a_request_whose_time_is_over_has_failed() {
        let (breaker, clock) = breaker();
        let hang = async || {
            let _permit = breaker.enter().expect("passes");
            core::future::pending::<()>().await;
        };
        for _ in 0..FAILURES {
            assert!(breaker.enter().is_some());
            assert!(in_time(Duration::ZERO, hang()).await.is_none());
        }
        assert!(breaker.enter().is_none());
        clock.advance(REST);
        assert!(in_time(Duration::ZERO, hang()).await.is_none());
        assert!(breaker.enter().is_none(), "it rests again");
        clock.advance(REST);
        breaker.enter().expect("passes").succeeded();
        // Callers that go away before are none.
        for _ in 0..FAILURES {
            let caller = in_time(Duration::from_secs(3600), hang());
            assert!(tokio::time::timeout(Duration::ZERO, caller).await.is_err());
        }
        assert!(breaker.enter().is_some());
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_keep_it_open() {
        let (breaker, clock) = breaker();
        fail(&breaker, FAILURES);
        clock.set(Timestamp::EPOCH);
        assert!(breaker.enter().is_some());
    }
}
