use backon::ExponentialBuilder;
use core::time::Duration;

/// How often, and after how long, calls are tried again that failed for a reason that may pass.
///
/// Reads are, and changes that carry an idempotency key, since these are done once however often they come; other changes
/// only as long as nothing was sent, or where the server refused them for the caller's rate. So are single values of many that the
/// server can't give in this moment. Pauses double and are spread at random. Where the server says when to come back, this
/// holds instead; more than [`longest`](Self::longest) is not waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// How many times more, at the most.
    pub times: usize,
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Retries {
    /// None at all.
    #[must_use]
    pub const fn none() -> Self {
        Self { times: 0, first: Duration::ZERO, longest: Duration::ZERO }
    }

    pub(crate) fn pauses(self) -> ExponentialBuilder {
        let pauses = ExponentialBuilder::new().with_min_delay(self.first).with_max_delay(self.longest);
        pauses.with_max_times(self.times).with_jitter()
    }
}

impl Default for Retries {
    /// Four times more, after 200 ms and up to 10 s.
    fn default() -> Self {
        Self { times: 4, first: Duration::from_millis(200), longest: Duration::from_secs(10) }
    }
}
