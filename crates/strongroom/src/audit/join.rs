//! The meeting of sorted lists: lines that stand in one list at least of every group, newest first.
//!
//! Each group says where its next line is at the earliest, and the others leap there (a leapfrog join). So it costs by the smallest of
//! them, not by the largest.

use std::collections::VecDeque;
use strongroom_domain::audit::Term;
use strongroom_domain::id::{EventId, StreamId};
use strongroom_domain::port::{ReadError, Window};
use strongroom_domain::time::Timestamp;
use uuid::Uuid;

/// The order of lists: by time, then by event.
pub(crate) type Key = (Timestamp, EventId);

/// A line of the index, and where its record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) key: Key,
    pub(crate) place: (StreamId, u64),
}

/// Where lists come from.
pub(crate) trait Lines: Sync {
    /// The newest at most `limit` lines of a term within a window, newest first.
    fn lines(
        &self,
        term: Term,
        window: Window,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Line>, ReadError>> + Send;
}

/// The fewest lines that are read at once: a read costs about as much as some tens of lines.
const FEWEST: u32 = 64;
/// The most.
const MOST: u32 = 1_000;

/// A list, read piece by piece.
struct List {
    term: Term,
    /// What was read and not yet passed, newest first.
    read: VecDeque<Line>,
    /// Everything before this key was not read yet; `None` when all was.
    rest: Option<Key>,
    /// How many are read at once.
    at_once: u32,
    /// How often those that were read last were of use; `None` before the first were read.
    used: Option<u32>,
}

impl List {
    /// The newest line before this key.
    async fn seek(
        &mut self,
        source: &impl Lines,
        from: Timestamp,
        before: Key,
        fetched: &mut u64,
    ) -> Result<Option<Line>, ReadError> {
        loop {
            while self.read.pop_front_if(|line| line.key >= before).is_some() {}
            if let Some(line) = self.read.front() {
                self.used = self.used.map(|used| used + 1);
                return Ok(Some(*line));
            }
            let Some(rest) = self.rest else { return Ok(None) };
            self.adapt();
            let window = Window { from, before: rest.min(before) };
            let lines = source.lines(self.term, window, self.at_once).await?;
            *fetched += lines.len() as u64 + 1;
            let is_all = (lines.len() as u64) < u64::from(self.at_once);
            self.rest = if is_all { None } else { lines.last().map(|line| line.key) };
            (self.read, self.used) = (lines.into(), Some(0));
        }
    }

    /// Where each read is of use once and the rest of it is leapt over, little is read next; where it is of use often, more.
    fn adapt(&mut self) {
        let Some(used) = self.used else { return };
        let next = match used {
            0 | 1 => self.at_once / 4,
            2 | 3 => self.at_once,
            _ => self.at_once.saturating_mul(4),
        };
        self.at_once = next.clamp(FEWEST, MOST);
    }
}

/// Lists of which a line stands in one at least. All in all it is a list again.
struct Group(Vec<List>);

impl Group {
    async fn seek(
        &mut self,
        source: &impl Lines,
        from: Timestamp,
        before: Key,
        fetched: &mut u64,
    ) -> Result<Option<Line>, ReadError> {
        let mut newest: Option<Line> = None;
        for list in &mut self.0 {
            let line = list.seek(source, from, before, fetched).await?;
            newest = newest.into_iter().chain(line).max_by_key(|line| line.key);
        }
        Ok(newest)
    }
}

/// How a search for the next line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// This is it.
    Found(Line),
    /// There is none any more.
    Ended,
    /// It would cost too much now. Nothing is left at this key or after it.
    Stopped(Key),
}

/// The lines that stand in every group.
pub(crate) struct Join<S> {
    source: S,
    from: Timestamp,
    /// Everything at this key or after it was passed.
    before: Key,
    groups: Vec<Group>,
    fetched: u64,
}

impl<S: Lines> Join<S> {
    /// `groups`: with none there is nothing to be found, and neither with an empty one. `at_once`: how many lines will be wanted, as far as
    /// that is known.
    pub(crate) fn new(source: S, window: Window, groups: &[Vec<Term>], at_once: usize) -> Self {
        let lists = groups.iter().map(Vec::len).max().unwrap_or(1).max(1);
        let share = u32::try_from(at_once / lists).unwrap_or(MOST).clamp(FEWEST, MOST);
        let list = |term: &Term| List {
            term: *term,
            read: VecDeque::new(),
            rest: Some(window.before),
            at_once: share,
            used: None,
        };
        let groups = groups.iter().map(|terms| Group(terms.iter().map(list).collect())).collect();
        Self { source, from: window.from, before: window.before, groups, fetched: 0 }
    }

    /// How many lines were read, and reads made.
    #[cfg(test)]
    const fn fetched(&self) -> u64 {
        self.fetched
    }

    /// The next line. `may_go_on` is asked before each read, with how much was [`fetched`](Self::fetched).
    pub(crate) async fn next(&mut self, mut may_go_on: impl FnMut(u64) -> bool) -> Result<Step, ReadError> {
        let Self { source, from, before, groups, fetched } = self;
        if groups.is_empty() {
            return Ok(Step::Ended);
        }
        // The line that all groups up to `agreed` have next.
        let mut candidate: Option<Line> = None;
        let (mut agreed, mut at) = (0, 0);
        while agreed < groups.len() {
            if !may_go_on(*fetched) {
                return Ok(Step::Stopped(*before));
            }
            // A group that agrees has the candidate itself.
            let found = groups[at].seek(source, *from, *before, fetched).await?;
            let Some(line) = found else { return Ok(Step::Ended) };
            if candidate.is_none_or(|candidate| line.key < candidate.key) {
                (candidate, agreed) = (Some(line), 1);
                *before = after_in_order(line.key);
            } else {
                agreed += 1;
            }
            at = (at + 1) % groups.len();
        }
        let Some(line) = candidate else { return Ok(Step::Ended) };
        *before = line.key;
        Ok(Step::Found(line))
    }
}

/// The key that is the least of those greater than this one.
fn after_in_order((at, event): Key) -> Key {
    match event.uuid().as_u128().checked_add(1) {
        Some(next) => (at, EventId::new(Uuid::from_u128(next))),
        None => (Timestamp::from_micros(at.as_micros().saturating_add(1)), EventId::new(Uuid::nil())),
    }
}

#[cfg(test)]
mod tests;
