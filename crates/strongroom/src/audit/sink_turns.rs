//! In which order the streams have their turn with a sink, and how many records at once.

use std::collections::HashMap;
use strongroom_domain::audit::Behind;
use strongroom_domain::id::StreamId;

/// The most records that a sink is given at once.
pub const MAX_FORWARDED_AT_ONCE: u32 = 500;

/// After how many deliveries that a sink took of a stream it is given twice as many records at once.
const GROWS_AFTER: u32 = 4;

/// What is remembered of a sink from round to round: which streams' records it refused last, and how many it is given at once since. One for
/// each sink.
#[derive(Debug)]
pub struct SinkTurns {
    most: u32,
    /// The last stream that was refused.
    refused: Option<StreamId>,
    /// Whatever the stream: a sink that takes nothing of any is soon given few of each.
    all: Batch,
    /// Only of streams that were refused and have not caught up, so there are no more than lag.
    batches: HashMap<StreamId, Batch>,
}

/// How many records are given at once.
#[derive(Clone, Copy, Debug)]
struct Batch {
    most: u32,
    /// How many deliveries were taken since that changed.
    taken: u32,
    /// Whether the last delivery was refused.
    is_refused: bool,
}

impl Batch {
    const fn of(most: u32) -> Self {
        Self { most, taken: 0, is_refused: false }
    }

    /// Once may be for any reason; twice in a row they may be too many.
    fn refuse(&mut self, records: usize) {
        if core::mem::replace(&mut self.is_refused, true) {
            let half = u32::try_from(records / 2).unwrap_or(self.most);
            *self = Self { is_refused: true, ..Self::of(half.clamp(1, self.most)) };
        }
    }

    /// Refusals in between don't count, or a sink that fails now and then would be given ever fewer.
    fn take(&mut self, most: u32) {
        self.is_refused = false;
        self.taken += 1;
        if self.taken >= GROWS_AFTER {
            *self = Self::of(self.most.saturating_mul(2).min(most));
        }
    }
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
        let most = records.clamp(1, MAX_FORWARDED_AT_ONCE);
        Self { most, refused: None, all: Batch::of(most), batches: HashMap::new() }
    }

    /// The streams that lag, in the order in which they have their turn: those that were refused in their last one come last, one after the
    /// other.
    pub(super) fn order(&mut self, mut behind: Vec<Behind>) -> Vec<Behind> {
        if !self.batches.is_empty() {
            let lags = |stream: &StreamId| behind.iter().any(|behind| behind.stream == *stream);
            self.batches.retain(|stream, _| lags(stream));
        }
        if let Some(at) = behind.iter().position(|behind| Some(behind.stream) == self.refused) {
            behind.rotate_left(at + 1);
        }
        behind.sort_by_key(|behind| self.batches.get(&behind.stream).is_some_and(|batch| batch.is_refused));
        behind
    }

    /// How many records of this stream are given at once.
    pub(super) fn batch(&self, stream: StreamId) -> u32 {
        self.batches.get(&stream).map_or(self.most, |batch| batch.most).min(self.all.most)
    }

    /// So many records at once were not taken.
    pub(super) fn refused(&mut self, stream: StreamId, records: usize) {
        self.refused = Some(stream);
        self.all.refuse(records);
        self.batches.entry(stream).or_insert(Batch::of(self.most)).refuse(records);
    }

    /// A delivery was taken.
    pub(super) fn taken(&mut self, stream: StreamId) {
        self.all.take(self.most);
        if let Some(batch) = self.batches.get_mut(&stream) {
            batch.take(self.most);
            if batch.most >= self.most {
                self.batches.remove(&stream);
            }
        }
    }

    /// The stream has no more to give.
    pub(super) fn caught_up(&mut self, stream: StreamId) {
        self.batches.remove(&stream);
        if self.batches.is_empty() {
            self.all = Batch::of(self.most);
        }
    }

    /// Each stream had its turn.
    pub(super) const fn nothing_refused(&mut self) {
        self.refused = None;
    }
}
