//! In which order the streams have their turn with a sink, and how many records at once.

use std::collections::HashMap;
use strongroom_domain::audit::Behind;
use strongroom_domain::id::StreamId;

/// The most records that a sink is given at once.
pub const MAX_FORWARDED_AT_ONCE: u32 = 500;

/// What is remembered of a sink from round to round: which stream's records it refused last, and how many it is given at once of those
/// that it refused. One for each sink.
#[derive(Debug)]
pub struct SinkTurns {
    most: u32,
    /// The others come before it.
    refused: Option<StreamId>,
    /// Only of streams that were refused and have not caught up, so there are no more than lag.
    batches: HashMap<StreamId, u32>,
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
        self.batches.get(&stream).copied().unwrap_or(self.most)
    }

    /// So many records at once were not taken.
    pub(super) fn refused(&mut self, stream: StreamId, records: usize) {
        let half = u32::try_from(records / 2).unwrap_or(self.most);
        self.batches.insert(stream, half.clamp(1, self.most));
        self.refused = Some(stream);
    }

    /// Everything was taken that the stream gave in its turn, and it has more.
    pub(super) fn taken(&mut self, stream: StreamId) {
        let batch = self.batch(stream).saturating_mul(2);
        if batch < self.most {
            self.batches.insert(stream, batch);
        } else {
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
