//! How far a long preparation is, for whoever waits.

use std::time::Instant;

/// Tells each tenth of so many records on standard error.
pub(crate) struct Progress {
    what: String,
    total: u64,
    done: u64,
    begun: Instant,
}

impl Progress {
    pub(crate) fn begin(what: String, total: u64) -> Self {
        Self { what, total, done: 0, begun: Instant::now() }
    }

    /// So many more are done.
    pub(crate) fn add(&mut self, more: u64) {
        let before = self.tenths();
        self.done += more;
        if self.tenths() > before {
            eprintln!("{}: {} of {} records after {:.0?}", self.what, self.done, self.total, self.begun.elapsed());
        }
    }

    const fn tenths(&self) -> u64 {
        match self.done.saturating_mul(10).checked_div(self.total) {
            Some(tenths) => tenths,
            None => 0,
        }
    }
}
