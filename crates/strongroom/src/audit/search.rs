//! Going through the log by its index, newest first.

use super::filter::Wanted;
use super::join::{Join, Key, Line, Lines, Step};
use crate::engine::Engine;
use crate::error::Error;
use std::collections::VecDeque;
use strongroom_domain::audit::{ChainedRecord, IndexEntry, Term};
use strongroom_domain::id::{OrganisationId, StreamId};
use strongroom_domain::port::{AuditReader, ReadError, Window};
use strongroom_domain::time::Timestamp;

/// How long one search goes on, in microseconds.
const PATIENCE: u64 = 5_000_000;
/// How many index lines one search for a text reads, and as many records.
const MOST_LINES: u64 = 200_000;
/// How many records are read at once.
const AT_ONCE: usize = 500;

/// The index of one organisation's log.
pub(super) struct Index<'a> {
    pub(super) audit: &'a dyn AuditReader,
    pub(super) organisation: OrganisationId,
}

impl Lines for Index<'_> {
    async fn lines(&self, term: Term, window: Window, limit: u32) -> Result<Vec<Line>, ReadError> {
        let found = self.audit.find(Some(self.organisation), term, window, limit).await?;
        let line = |(entry, stream): (IndexEntry, StreamId)| Line {
            key: (entry.at, entry.event),
            place: (stream, entry.sequence),
        };
        Ok(found.into_iter().map(line).collect())
    }
}

/// How a search came to an end, for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// There was as much as was wanted.
    Enough,
    /// There is nothing more.
    Exhausted,
    /// It took too long; what is before this key was not looked at.
    Stopped(Key),
}

/// A search on its way.
pub(super) struct Search<'a> {
    engine: &'a Engine,
    wanted: &'a Wanted,
    join: Join<Index<'a>>,
    /// What was read and is wanted, and not yet given.
    ready: VecDeque<ChainedRecord>,
    /// How it ended, once it did.
    end: Option<End>,
    /// The key of what was passed or given last; at first, of where it began.
    last: Key,
    /// After how many microseconds it stops.
    patience: u64,
    begun: Timestamp,
    most_lines: u64,
}

impl<'a> Search<'a> {
    /// `before`: where to go on, in place of the end of the filter's times. `at_once`: about how many lines will be wanted.
    pub(super) fn begin(
        engine: &'a Engine,
        organisation: OrganisationId,
        wanted: &'a Wanted,
        before: Option<Key>,
        at_once: usize,
    ) -> Self {
        let mut window = wanted.window();
        window.before = before.map_or(window.before, |before| before.min(window.before));
        let (last, most_lines) = (window.before, if wanted.text.is_some() { MOST_LINES } else { u64::MAX });
        let index = Index { audit: engine.ports.audit.as_ref(), organisation };
        let join = Join::new(index, window, &wanted.groups(), at_once);
        let (ready, begun) = (VecDeque::new(), engine.ports.clock.now());
        Self { engine, wanted, join, ready, end: None, last, patience: PATIENCE, begun, most_lines }
    }

    /// The same, that stops after so many microseconds.
    pub(super) fn within(self, micros: u64) -> Self {
        Self { patience: micros, ..self }
    }

    /// Where it is: everything that was passed or given is at this key or after it.
    pub(super) const fn last(&self) -> Key {
        self.last
    }

    /// How it ended, once it did.
    pub(super) const fn end(&self) -> Option<End> {
        self.end
    }

    /// The next line; `None` when it has ended.
    async fn line(&mut self) -> Result<Option<Line>, Error> {
        if self.end.is_some() {
            return Ok(None);
        }
        let (clock, begun) = (&self.engine.ports.clock, self.begun);
        let (most, patience) = (self.most_lines, self.patience);
        let may_go_on = |fetched| fetched < most && clock.now().micros_since(begun) < patience;
        match self.join.next(may_go_on).await? {
            Step::Found(line) => return Ok(Some(line)),
            Step::Ended => self.end = Some(End::Exhausted),
            Step::Stopped(before) => self.end = Some(End::Stopped(before)),
        }
        Ok(None)
    }

    /// Passes over so many records that are wanted; how many there were.
    pub(super) async fn pass(&mut self, count: u64) -> Result<u64, Error> {
        for passed in 0..count {
            // Where no text is looked for, the lines tell enough.
            let key = match self.wanted.text {
                None => self.line().await?.map(|line| line.key),
                Some(_) => self.record(AT_ONCE).await?.map(|chained| key(&chained)),
            };
            let Some(key) = key else { return Ok(passed) };
            self.last = key;
        }
        Ok(count)
    }

    /// The next at most `count` records that are wanted, and how it ended.
    pub(super) async fn take(&mut self, count: usize) -> Result<(Vec<ChainedRecord>, End), Error> {
        let mut found = Vec::new();
        while found.len() < count {
            // A text is in few of the records that the index leads to; anything else is in all of them.
            let at_once = if self.wanted.text.is_some() { AT_ONCE } else { (count - found.len()).min(AT_ONCE) };
            match self.record(at_once).await? {
                Some(record) => {
                    self.last = key(&record);
                    found.push(record);
                }
                None => return Ok((found, self.end.unwrap_or(End::Exhausted))),
            }
        }
        Ok((found, End::Enough))
    }

    /// The next record that is wanted; `None` when it has ended.
    async fn record(&mut self, at_once: usize) -> Result<Option<ChainedRecord>, Error> {
        while self.ready.is_empty() && self.end.is_none() {
            let mut lines = Vec::with_capacity(at_once);
            while lines.len() < at_once
                && let Some(line) = self.line().await?
            {
                lines.push(line);
            }
            let places: Vec<(StreamId, u64)> = lines.iter().map(|line| line.place).collect();
            let records = self.engine.ports.audit.at(&places).await?;
            // One that retention has just removed is gone. One that isn't where its line says is passed over: the search would come back
            // to where it was.
            let found = lines.iter().zip(records).filter_map(|(line, chained)| {
                chained.filter(|chained| key(chained) == line.key && self.wanted.matches(&chained.record))
            });
            self.ready.extend(found);
        }
        Ok(self.ready.pop_front())
    }
}

const fn key(chained: &ChainedRecord) -> Key {
    (chained.record.at, chained.record.event)
}
