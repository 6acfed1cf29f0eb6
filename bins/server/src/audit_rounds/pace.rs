//! When the next round comes.

use core::time::Duration;
use std::sync::Arc;
use strongroom_domain::port::Clock;
use tokio_util::sync::CancellationToken;

/// How long is waited after a failure; then twice as long each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LAST_WAIT: Duration = Duration::from_secs(60);

/// What all rounds go by.
#[derive(Clone)]
pub(super) struct Pace {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stop: CancellationToken,
}

impl Pace {
    /// The pace of one task.
    pub(super) const fn begin(self) -> Paced {
        Paced { pace: self, wait: FIRST_WAIT }
    }
}

/// The pace of one task.
pub(super) struct Paced {
    pace: Pace,
    wait: Duration,
}

impl Paced {
    /// Whether there is to be another round.
    pub(super) fn goes_on(&self) -> bool {
        !self.pace.stop.is_cancelled()
    }

    /// After a round that went well.
    pub(super) async fn rest(&mut self, rest: Duration) {
        self.wait = FIRST_WAIT;
        self.sleep(rest).await;
    }

    /// After one that failed: longer each time.
    pub(super) async fn back_off(&mut self) {
        let wait = self.wait;
        self.wait = wait.saturating_mul(2).min(LAST_WAIT);
        self.sleep(wait).await;
    }

    async fn sleep(&self, rest: Duration) {
        if rest.is_zero() {
            return tokio::task::yield_now().await;
        }
        tokio::select! {
            () = self.pace.stop.cancelled() => {}
            () = self.pace.clock.sleep(rest) => {}
        }
    }
}
