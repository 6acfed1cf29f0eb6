#![doc = include_str!("../README.md")]

use async_trait::async_trait;
use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};
use strongroom_domain::port::{Clock, IdGenerator};
use strongroom_domain::time::Timestamp;
use uuid::Uuid;

/// The machine's clock: UTC, in microseconds. It goes back when somebody sets it back.
///
/// A machine whose clock stands before 1970 is at 1970. Sleeping needs a Tokio runtime with its timer on.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter of the `Clock` port")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// UUIDs of version 7: they rise with time, so that new rows stand beside each other.
///
/// Those of one process rise strictly, also within a millisecond. They are no secrets: each tells when it was made.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;

impl IdGenerator for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter of the `IdGenerator` port")]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

#[cfg(test)]
mod tests {
    use super::{SystemClock, SystemIds};
    use core::time::Duration;
    use strongroom_domain::port::{Clock, IdGenerator};
    use strongroom_domain::time::Timestamp;

    #[test]
    fn the_time_is_after_this_was_written() {
        let now = SystemClock.now();
        assert!(now > Timestamp::from_micros(1_700_000_000_000_000), "{now}");
    }

    #[tokio::test(start_paused = true)]
    async fn sleepers_wake_when_their_time_has_come_and_not_before() {
        let sleeper = tokio::spawn(SystemClock.sleep(Duration::from_secs(3)));
        tokio::time::advance(Duration::from_millis(2_999)).await;
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        tokio::time::advance(Duration::from_millis(2)).await;
        sleeper.await.expect("wakes");
    }

    #[test]
    fn identifiers_rise() {
        let ids: Vec<_> = (0..1_000).map(|_| SystemIds.next()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
