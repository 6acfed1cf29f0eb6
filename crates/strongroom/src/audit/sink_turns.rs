//! In which order the streams have their turn with a sink, and how many records at once.

use std::collections::HashMap;
use strongroom_domain::audit::Behind;
use strongroom_domain::id::StreamId;

/// The most records that a sink is given at once.
pub const MAX_FORWARDED_AT_ONCE: u32 = 500;

/// After how many deliveries that a sink took of a stream it is given twice as many records at once.
const GROWS_AFTER: u32 = 4;

/// What is remembered of a sink from round to round: which stream's records it refused last, and how many it is given at once of those
/// that it refused. One for each sink.
#[derive(Debug)]
pub struct SinkTurns {
    most: u32,
    /// The others come before it.
    refused: Option<StreamId>,
    /// Only of streams that were refused and have not caught up, so there are no more than lag.
    batches: HashMap<StreamId, Batch>,
}

/// How many records of a stream are given at once.
#[derive(Clone, Copy, Debug)]
struct Batch {
    most: u32,
    /// How many deliveries were taken since that changed.
    taken: u32,
    /// Whether the last delivery was refused.
    is_refused: bool,
}

impl Default for SinkTurns {
    fn default() -> Self {
        Self::of_at_most(MAX_FORWARDED_AT_ONCE)
    }
}

impl SinkTurns {
    /// Those of a sink that is never given more records than this at once (1 to [`MAX_FORWARDED_AT_ONCE`], which is the default).
    #[must_use]
    pub fn of_at_most(records: u32) -> Self {
        Self { most: records.clamp(1, MAX_FORWARDED_AT_ONCE), refused: None, batches: HashMap::new() }
    }

    /// The streams that lag, in the order in which they have their turn: the one that was refused last is the last.
    pub(super) fn order(&mut self, mut behind: Vec<Behind>) -> Vec<Behind> {
        if !self.batches.is_empty() {
            let lags = |stream: &StreamId| behind.iter().any(|behind| behind.stream == *stream);
            self.batches.retain(|stream, _| lags(stream));
        }
        if let Some(at) = behind.iter().position(|behind| Some(behind.stream) == self.refused) {
            behind.rotate_left(at + 1);
        }
        behind
    }

    /// How many records of this stream are given at once.
    pub(super) fn batch(&self, stream: StreamId) -> u32 {
        self.batches.get(&stream).map_or(self.most, |batch| batch.most)
    }

    /// So many records at once were not taken. Once may be for any reason; twice in a row they may be too many.
    pub(super) fn refused(&mut self, stream: StreamId, records: usize) {
        self.refused = Some(stream);
        let whole = Batch { most: self.most, taken: 0, is_refused: false };
        let batch = self.batches.entry(stream).or_insert(whole);
        if core::mem::replace(&mut batch.is_refused, true) {
            let half = u32::try_from(records / 2).unwrap_or(self.most);
            *batch = Batch { most: half.clamp(1, self.most), taken: 0, is_refused: true };
        }
    }

    /// A delivery was taken. Refusals in between don't count, or a sink that fails now and then would be given ever fewer.
    pub(super) fn taken(&mut self, stream: StreamId) {
        let Some(batch) = self.batches.get_mut(&stream) else { return };
        batch.is_refused = false;
        batch.taken += 1;
        if batch.taken >= GROWS_AFTER {
            *batch = Batch { most: batch.most.saturating_mul(2).min(self.most), taken: 0, is_refused: false };
        }
        if batch.most >= self.most {
            self.batches.remove(&stream);
        }
    }

    /// The stream has no more to give.
    pub(super) fn caught_up(&mut self, stream: StreamId) {
        self.batches.remove(&stream);
    }

    /// Each stream had its turn.
    pub(super) const fn nothing_refused(&mut self) {
        self.refused = None;
    }
}
