//! How long a connection may stay as it is.

use super::ServeOptions;
use super::guard::Phase;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use tokio::time::Sleep;

/// What follows when a phase has lasted for as long as it may.
pub(super) enum Due {
    /// The head is late.
    Head,
    /// Nothing came since the last answer; but part of a head may have come before.
    Look,
    /// The connection has been of no use for long enough.
    Close,
}

/// When a connection is to be looked at, although nothing happens on it.
pub(super) struct Timer {
    sleep: Pin<Box<Sleep>>,
    /// The change of phase that it runs since.
    change: u32,
    /// Whether the phase is still the one that the connection began with.
    first: bool,
    /// Whether the library was seen to hold nothing since the last answer.
    empty: bool,
}

impl Timer {
    pub(super) fn new(limit: Duration, change: u32) -> Self {
        Self { sleep: Box::pin(tokio::time::sleep(limit)), change, first: true, empty: false }
    }

    /// Whether a phase has lasted for as long as it may, and what follows.
    pub(super) fn poll(
        &mut self,
        options: &ServeOptions,
        (phase, change): (Phase, u32),
        cx: &mut Context<'_>,
    ) -> Poll<Due> {
        let limit = match phase {
            // Earlier than the end of the idle time, because it may turn out that it is no idle time.
            Phase::Idle => Some(options.idle_timeout.min(options.head_timeout)),
            // Of a head that began behind an earlier request this counts only what came after the answer; when its first byte came the
            // library doesn't tell. The whole takes less than twice the limit.
            Phase::Head => Some(options.head_timeout),
            // The handler has its own limits.
            Phase::Busy => None,
            Phase::Stalled => Some(options.write_timeout),
        };
        if change != self.change {
            (self.change, self.first, self.empty) = (change, false, false);
            if let Some(limit) = limit {
                self.start(limit);
            }
        }
        if limit.is_none() {
            return Poll::Pending;
        }
        self.sleep.as_mut().poll(cx).map(|()| match phase {
            Phase::Head => Due::Head,
            Phase::Idle if !self.first && !self.empty => Due::Look,
            Phase::Idle | Phase::Busy | Phase::Stalled => Due::Close,
        })
    }

    /// The connection was idle, and is for the rest of its idle time.
    pub(super) fn stays_silent(&mut self, options: &ServeOptions) {
        self.empty = true;
        self.start(options.idle_timeout.saturating_sub(options.head_timeout));
    }

    fn start(&mut self, limit: Duration) {
        self.sleep.set(tokio::time::sleep(limit));
    }
}
