use core::ops::Bound;
use std::collections::BTreeMap;
use strongroom_domain::audit::{AuditRecord, ChainState, ChainedRecord, IndexEntry, LogReader, Term};
use strongroom_domain::id::{EventId, OrganisationId, StreamId};
use strongroom_domain::port::{AuditSigner, StoredCheckpoint, Window};
use strongroom_domain::time::Timestamp;

/// What tells an index line from others, in the order of lists, the oldest first.
type Line = (Option<OrganisationId>, Term, Timestamp, EventId);

const fn line(entry: &IndexEntry) -> Line {
    (entry.organisation, entry.term, entry.at, entry.event)
}

fn entry((&(organisation, term, at, event), &sequence): (&Line, &u64)) -> IndexEntry {
    IndexEntry { organisation, term, at, event, sequence }
}

/// The audit log: one stream, its index, its checkpoints, and how far each reader is.
pub(crate) struct Log {
    chain: ChainState,
    /// By sequence. The last one is never removed.
    records: BTreeMap<u64, ChainedRecord>,
    /// To the sequence that a line leads to.
    index: BTreeMap<Line, u64>,
    positions: BTreeMap<LogReader, u64>,
    checkpoints: BTreeMap<u64, StoredCheckpoint>,
}

impl Log {
    pub(crate) fn new(stream: StreamId) -> Self {
        Self {
            chain: ChainState::begin(stream),
            records: BTreeMap::new(),
            index: BTreeMap::new(),
            positions: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
        }
    }

    pub(crate) const fn stream(&self) -> StreamId {
        self.chain.stream
    }

    /// The sequence of the last record; 0 before the first.
    pub(crate) const fn end(&self) -> u64 {
        self.chain.sequence
    }

    /// Appends the records of one commit, the last one signed.
    pub(crate) fn append(&mut self, records: impl IntoIterator<Item = AuditRecord>, signer: &dyn AuditSigner) {
        let before = self.end();
        for record in records {
            let chained = self.chain.append(record.into());
            self.records.insert(chained.sequence, chained);
        }
        if self.end() > before
            && let Some(last) = self.records.get_mut(&self.chain.sequence)
        {
            last.signature = Some(signer.sign(&self.chain.signed_bytes()));
        }
    }

    pub(crate) fn record(&self, sequence: u64) -> Option<&ChainedRecord> {
        self.records.get(&sequence)
    }

    /// In order, without those up to `after`.
    pub(crate) fn records(&self, after: u64) -> impl DoubleEndedIterator<Item = &ChainedRecord> {
        self.records.range(after.saturating_add(1)..).map(|(_, chained)| chained)
    }

    /// Takes out the records up to this one.
    pub(crate) fn take_records(&mut self, through: u64) -> BTreeMap<u64, ChainedRecord> {
        let kept = self.records.split_off(&through.saturating_add(1));
        core::mem::replace(&mut self.records, kept)
    }

    pub(crate) fn put_records(&mut self, records: BTreeMap<u64, ChainedRecord>) {
        self.records.extend(records);
    }

    /// The lines of a term within a window, the newest first, each with the sequence that it leads to.
    pub(crate) fn lines(
        &self,
        organisation: Option<OrganisationId>,
        term: Term,
        window: Window,
    ) -> impl Iterator<Item = IndexEntry> {
        let first = (window.from, EventId::new(uuid::Uuid::nil()));
        let [from, to] = [first, first.max(window.before)].map(|(at, event)| (organisation, term, at, event));
        self.index.range(from..to).rev().map(entry)
    }

    /// Whether the index leads from this line to this very record.
    pub(crate) fn is_indexed(&self, entry: &IndexEntry) -> bool {
        self.index.get(&line(entry)) == Some(&entry.sequence)
    }

    /// The lines of all terms after this one.
    pub(crate) fn all_lines(&self, after: Option<&IndexEntry>) -> impl Iterator<Item = IndexEntry> {
        let after = after.map_or(Bound::Unbounded, |after| Bound::Excluded(line(after)));
        self.index.range((after, Bound::Unbounded)).map(entry)
    }

    /// Whether the line was not there yet.
    pub(crate) fn add_line(&mut self, entry: &IndexEntry) -> bool {
        let is_new = !self.index.contains_key(&line(entry));
        if is_new {
            self.index.insert(line(entry), entry.sequence);
        }
        is_new
    }

    /// Whether the line was there, leading to this very record.
    pub(crate) fn remove_line(&mut self, entry: &IndexEntry) -> bool {
        self.is_indexed(entry) && self.index.remove(&line(entry)).is_some()
    }

    pub(crate) fn position(&self, reader: &LogReader) -> u64 {
        self.positions.get(reader).copied().unwrap_or(0)
    }

    /// 0 for one behind the last record, unless it is that of checkpoints.
    pub(crate) fn credible_position(&self, reader: &LogReader) -> u64 {
        let position = self.position(reader);
        if position <= self.end() || *reader == LogReader::Checkpoints { position } else { 0 }
    }

    pub(crate) fn set_position(&mut self, reader: LogReader, position: u64) {
        self.positions.insert(reader, position);
    }

    pub(crate) fn has_checkpoint(&self, number: u64) -> bool {
        self.checkpoints.contains_key(&number)
    }

    /// In order, without those up to `after`.
    pub(crate) fn checkpoints(&self, after: u64) -> impl DoubleEndedIterator<Item = &StoredCheckpoint> {
        self.checkpoints.range(after.saturating_add(1)..).map(|(_, checkpoint)| checkpoint)
    }

    /// The highest number first.
    pub(crate) fn checkpoints_before(&self, number: u64) -> impl Iterator<Item = &StoredCheckpoint> {
        self.checkpoints.range(..number).rev().map(|(_, checkpoint)| checkpoint)
    }

    pub(crate) fn add_checkpoint(&mut self, checkpoint: StoredCheckpoint) {
        self.checkpoints.insert(checkpoint.number, checkpoint);
    }

    pub(crate) fn remove_checkpoint(&mut self, number: u64) {
        self.checkpoints.remove(&number);
    }
}
