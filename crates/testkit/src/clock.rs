use async_trait::async_trait;
use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};
use strongroom_domain::port::Clock;
use strongroom_domain::time::Timestamp;
use tokio::sync::watch;

#[derive(Clone, Copy)]
struct Reading {
    wall: Timestamp,
    /// What sleepers go by; it never goes back.
    elapsed: Duration,
}

/// A clock that stands still until a test moves it.
///
/// A sleeper wakes when the clock was advanced by at least what it sleeps for; [`set`](Self::set) moves the wall-clock time alone,
/// as an operator would, and wakes nobody. A clock made by [`jumping`](Self::jumping) never keeps anyone waiting: a sleep advances
/// it and returns at once.
///
/// ```
/// use core::time::Duration;
/// use strongroom_domain::{port::Clock, time::Timestamp};
/// use strongroom_testkit::ManualClock;
///
/// let clock = ManualClock::new(Timestamp::EPOCH);
/// clock.advance(Duration::from_secs(2));
/// assert_eq!(clock.now(), Timestamp::from_micros(2_000_000));
/// ```
pub struct ManualClock {
    reading: watch::Sender<Reading>,
    jumps: bool,
}

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self { reading: watch::Sender::new(Reading { wall: start, elapsed: Duration::ZERO }), jumps: false }
    }

    /// A clock that shows `start` and is advanced by whoever sleeps.
    #[must_use]
    pub fn jumping(start: Timestamp) -> Self {
        Self { jumps: true, ..Self::new(start) }
    }

    /// Moves the clock on, and wakes whose time has come.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.reading.send_modify(|reading| {
            reading.wall = Timestamp::from_micros(reading.wall.as_micros().saturating_add(micros));
            reading.elapsed = reading.elapsed.saturating_add(by);
        });
    }

    /// Sets the wall-clock time, also back.
    pub fn set(&self, now: Timestamp) {
        self.reading.send_modify(|reading| reading.wall = now);
    }

    /// How many sleep now.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.reading.receiver_count()
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.reading.borrow().wall
    }

    async fn sleep(&self, duration: Duration) {
        if self.jumps {
            return self.advance(duration);
        }
        let mut readings = self.reading.subscribe();
        let until = readings.borrow().elapsed.saturating_add(duration);
        // An error would mean that the sender is gone, but `self` holds it.
        let _ = readings.wait_for(|reading| reading.elapsed >= until).await;
    }
}

/// The machine's clock, for adapters whose time no test can move: who sleeps really waits.
#[derive(Clone, Copy, Debug, Default)]
pub struct MachineClock;

#[async_trait]
impl Clock for MachineClock {
    #[expect(clippy::disallowed_methods, reason = "this is an adapter of the `Clock` port")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[cfg(test)]
mod tests {
    use super::ManualClock;
    use core::time::Duration;
    use std::sync::Arc;
    use strongroom_domain::port::Clock;
    use strongroom_domain::time::Timestamp;

    #[tokio::test]
    async fn sleepers_wake_when_their_time_has_come_and_not_before() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(50)));
        let sleeper = tokio::spawn({
            let clock = Arc::clone(&clock);
            async move { clock.sleep(Duration::from_secs(3)).await }
        });
        while clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_secs(2));
        clock.set(Timestamp::from_micros(9_000_000));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(!sleeper.is_finished());
        assert_eq!(clock.now(), Timestamp::from_micros(9_000_000));
        clock.advance(Duration::from_secs(1));
        sleeper.await.expect("wakes");
        assert_eq!(clock.sleepers(), 0);
    }

    #[tokio::test]
    async fn a_jumping_clock_keeps_nobody_waiting() {
        let clock = ManualClock::jumping(Timestamp::EPOCH);
        clock.sleep(Duration::from_millis(7)).await;
        assert_eq!(clock.now(), Timestamp::from_micros(7_000));
    }
}
