use super::cursor::Walk;
use super::{A_PAGE, Work};
use crate::error::Error;
use std::collections::{HashMap, HashSet};
use strongroom_domain::audit::{AuditRecord, Finding, FindingKind, IndexEntry, Link, LogReader, StreamCheck};
use strongroom_domain::id::StreamId;

/// How many streams that lag are read at once.
const STREAMS: u32 = 1_000;

impl Work<'_> {
    /// Checks the records of all streams; whether it came to the end.
    pub(super) async fn streams(&mut self) -> Result<bool, Error> {
        let mut ended = Vec::new();
        let mut streams = self.engine.ports.audit.streams().await?;
        let mut at = self.first_of(&streams);
        loop {
            if at >= streams.len() {
                // Others may have begun meanwhile.
                let now = self.engine.ports.audit.streams().await?;
                if now.len() <= streams.len() {
                    self.check_told(ended).await?;
                    self.look_for(&now).await?;
                    return Ok(true);
                }
                streams = now;
                // Not always behind all others.
                at = self.first_of(&streams);
                continue;
            }
            let mut walk = match self.cursor.stream {
                Some(walk) if !walk.is_done => walk,
                _ => Walk { check: StreamCheck::begin(streams[at]), is_done: false },
            };
            while !walk.is_done {
                if self.is_over() {
                    self.cursor.stream = Some(walk);
                    self.check_told(ended).await?;
                    return Ok(false);
                }
                self.page(&mut walk).await?;
            }
            ended.push((walk.check.through.stream, walk.check.through.sequence));
            self.cursor.stream = Some(walk);
            at += 1;
        }
    }

    /// The place of the stream to go on with; behind the last when none is left.
    fn first_of(&mut self, streams: &[StreamId]) -> usize {
        let Some(walk) = self.cursor.stream else { return 0 };
        let at = streams.iter().position(|stream| *stream == walk.check.through.stream);
        match at {
            Some(at) if walk.is_done => at + 1,
            Some(at) => at,
            // Gone since the last step. That it is missing is told at the end; nobody knows any more which come after it.
            None => {
                self.cursor.stream = None;
                0
            }
        }
    }

    /// Checks the next records of a stream.
    async fn page(&mut self, walk: &mut Walk) -> Result<(), Error> {
        let stream = walk.check.through.stream;
        // Before the first record another may lie, which brings nobody on.
        let least = if walk.check.through.sequence == 0 { 2 } else { 1 };
        let size = A_PAGE.min(self.left.max(least));
        let page = self.engine.ports.audit.links(stream, walk.check.through.sequence, size).await?;
        let mut sound: Vec<&Link> = Vec::with_capacity(page.len());
        let mut is_caught_up = false;
        for link in &page {
            let before = walk.check;
            let mut finding = walk.check.take(link, &self.ledger, &*self.ports.verifier);
            let kind = finding.map(|finding| finding.kind);
            // Retention may have removed them just now, which it announced before. And a key may have been made known just now, before it
            // signed: but not after this page was read.
            let is_missing = kind == Some(FindingKind::RecordMissing);
            if is_missing || (kind == Some(FindingKind::SignatureKeyUnknown) && !is_caught_up) {
                self.catch_up().await?;
                is_caught_up = true;
                walk.check = before;
                if is_missing && before.through.sequence > 0 && self.is_removed(stream, before.through.sequence).await?
                {
                    walk.check.restart();
                }
                finding = walk.check.take(link, &self.ledger, &*self.ports.verifier);
            }
            match finding {
                Some(finding) => self.found(finding),
                None => sound.push(link),
            }
        }
        self.index_lines(stream, &sound).await?;
        self.count(page.len() as u64);
        self.cursor.records += page.len() as u64;
        walk.is_done = page.len() < size as usize;
        let finding = if walk.is_done { walk.check.end(&self.ledger) } else { None };
        if is_caught_up && finding.is_some() {
            // The checkpoints may tell of records that came after the page was read: these are read first.
            walk.is_done = false;
        } else if let Some(finding) = finding {
            // A commit's records come at once: the last one is signed whenever one looks.
            self.found(finding);
        }
        Ok(())
    }

    /// Takes checkpoints that were written meanwhile.
    async fn catch_up(&mut self) -> Result<(), Error> {
        while !self.extend_ledger().await? {}
        Ok(())
    }

    /// Whether the index has the lines of these records, as far as it is made.
    async fn index_lines(&mut self, stream: StreamId, links: &[&Link]) -> Result<(), Error> {
        let records: Vec<Indexable> = links.iter().filter_map(|link| Indexable::of(link)).collect();
        let records = self.without_lines(stream, records).await?;
        if records.is_empty() {
            return Ok(());
        }
        // Mostly the index is not so far yet. How far it is costs by the number of streams, so it is asked where lines are missing only,
        // and those that came meanwhile are looked for again. A stream that is not behind has all of these in the index.
        let through = self.behind(&LogReader::Index).await?.get(&stream).copied().unwrap_or(u64::MAX);
        let indexed = records.into_iter().filter(|record| record.sequence <= through).collect();
        for Indexable { sequence, .. } in self.without_lines(stream, indexed).await? {
            if !self.is_removed(stream, sequence).await? {
                // The other lines can still be checked.
                self.findings.push(Finding::at_record(FindingKind::IndexLineMissing, stream, sequence));
            }
        }
        Ok(())
    }

    /// Those of which the index lacks lines; the lines of the others are counted.
    async fn without_lines(&mut self, stream: StreamId, records: Vec<Indexable>) -> Result<Vec<Indexable>, Error> {
        let lines: Vec<IndexEntry> = records.iter().flat_map(|record| record.lines.iter().copied()).collect();
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let mut there = self.engine.ports.audit.indexed(stream, &lines).await?.into_iter();
        let mut without = Vec::new();
        for record in records {
            let met = there.by_ref().take(record.lines.len()).filter(|is_there| *is_there).count();
            if met < record.lines.len() {
                without.push(record);
            } else {
                self.cursor.lines = self.cursor.lines.map(|lines| lines + met as u64);
            }
        }
        Ok(without)
    }

    async fn is_removed(&self, stream: StreamId, sequence: u64) -> Result<bool, Error> {
        let found = self.engine.links_after(stream, sequence - 1, 1).await?;
        Ok(found.first().is_none_or(|link| link.sequence != sequence))
    }

    /// How far a reader is with the streams that it has not had all of.
    pub(super) async fn behind(&self, reader: &LogReader) -> Result<HashMap<StreamId, u64>, Error> {
        let mut through = HashMap::new();
        let mut after = None;
        loop {
            let page = self.engine.ports.audit.behind(reader, after, STREAMS).await?;
            through.extend(page.iter().map(|behind| (behind.stream, behind.through)));
            match page.last() {
                Some(last) if page.len() >= STREAMS as usize => after = Some(last.stream),
                _ => return Ok(through),
            }
        }
    }

    /// Whether there are the checkpoints that the store knows to have told of these streams so far.
    async fn check_told(&mut self, ended: Vec<(StreamId, u64)>) -> Result<(), Error> {
        if ended.is_empty() {
            return Ok(());
        }
        let behind = self.behind(&LogReader::Checkpoints).await?;
        // Read after how far they tell.
        self.catch_up().await?;
        for (stream, last) in ended {
            let through = behind.get(&stream).copied().unwrap_or(last);
            let told = [self.ledger.end_of(stream), self.ledger.begin_of(stream)];
            let told = told.into_iter().flatten().map(|state| state.sequence).max().unwrap_or(0);
            if told < through {
                self.found(Finding::at_record(FindingKind::CheckpointsCutOff, stream, told + 1));
            }
        }
        Ok(())
    }

    /// Streams that checkpoints tell of, and that are gone.
    async fn look_for(&mut self, streams: &[StreamId]) -> Result<(), Error> {
        let there: HashSet<_> = streams.iter().copied().collect();
        let mut gone: Vec<_> = self.ledger.streams().filter(|stream| !there.contains(stream)).collect();
        gone.sort_unstable();
        for stream in gone {
            self.found(Finding::of_stream(FindingKind::StreamMissing, stream));
        }
        Ok(())
    }
}

/// A record, and the lines that the index is to have of it.
struct Indexable {
    sequence: u64,
    lines: Vec<IndexEntry>,
}

impl Indexable {
    /// `None` for bytes that are no record.
    fn of(link: &Link) -> Option<Self> {
        let record = AuditRecord::from_canonical(&link.canonical).ok()?;
        Some(Self { sequence: link.sequence, lines: IndexEntry::of(&record, link.sequence) })
    }
}
