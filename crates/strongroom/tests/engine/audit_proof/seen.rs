//! The log as somebody left it who could write to the database.

use async_trait::async_trait;
use core::pin::Pin;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use strongroom::domain::audit::{Behind, Checkpoint, IndexEntry, Link, LogReader, Term};
use strongroom::domain::id::StreamId;
use strongroom::domain::port::{AuditReader, ReadError, StoredCheckpoint, StoredLine};
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::AlterLog;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tampering {
    ChangeRecord(u64),
    ChangeHash(u64),
    RemoveRecord(u64),
    RemoveSignature(u64),
    /// All records from this one on.
    CutRecords(u64),
    ChangeCheckpoint(u64),
    /// It says that the next key is known as well.
    RaiseKey(u64),
    RemoveCheckpoint(u64),
    /// All checkpoints from this one on.
    CutCheckpoints(u64),
    RemoveLines(u64),
    /// So many streams before the real one moved, and have no records.
    StreamsInFront(u128),
    AddLines,
    /// The next reader of records saw none after this one: those came while it read. Not tampering, but the store's own doing.
    ReadBefore(u64),
}

/// What others do.
pub(super) type Doing = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(super) struct Seen {
    inner: Arc<MemoryStore>,
    tampered: Mutex<Vec<Tampering>>,
    meanwhile: Mutex<VecDeque<Doing>>,
}

impl Seen {
    pub(super) fn new(inner: Arc<MemoryStore>) -> Self {
        Self { inner, tampered: Mutex::default(), meanwhile: Mutex::default() }
    }

    /// Before each question from now on, others do the next of this first.
    pub(super) fn meanwhile(&self, doing: impl IntoIterator<Item = Doing>) {
        *self.meanwhile.lock().expect("unpoisoned") = doing.into_iter().collect();
    }

    /// What others ask while they do something, they ask undisturbed.
    async fn let_others_go_first(&self) {
        let mut doing = core::mem::take(&mut *self.meanwhile.lock().expect("unpoisoned"));
        if let Some(next) = doing.pop_front() {
            next.await;
            *self.meanwhile.lock().expect("unpoisoned") = doing;
        }
    }

    pub(super) fn tamper(&self, with: impl IntoIterator<Item = Tampering>) {
        self.tampered.lock().expect("unpoisoned").extend(with);
    }

    pub(super) fn mend(&self) {
        self.tampered.lock().expect("unpoisoned").clear();
    }

    fn tampered(&self) -> Vec<Tampering> {
        self.tampered.lock().expect("unpoisoned").clone()
    }
}

fn is_there(tampered: &[Tampering], sequence: u64) -> bool {
    !tampered.iter().any(|it| match it {
        Tampering::RemoveRecord(at) => *at == sequence,
        Tampering::CutRecords(from) => sequence >= *from,
        _ => false,
    })
}

#[async_trait]
impl AlterLog for Seen {
    fn log(&self) -> &dyn AuditReader {
        &*self.inner
    }

    async fn links(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<Link>, ReadError> {
        self.let_others_go_first().await;
        let tampered = self.tampered();
        if tampered.iter().any(|it| matches!(it, Tampering::StreamsInFront(_))) && !stream.uuid().is_nil() {
            return Ok(Vec::new());
        }
        let mut links = self.inner.links(stream, after, u32::MAX).await?;
        let read_before =
            tampered.iter().find_map(|it| if let Tampering::ReadBefore(last) = it { Some(*last) } else { None });
        if let Some(last) = read_before {
            links.retain(|link| link.sequence <= last);
            self.tampered.lock().expect("unpoisoned").retain(|it| *it != Tampering::ReadBefore(last));
        }
        links.retain(|link| is_there(&tampered, link.sequence));
        links.truncate(limit as usize);
        for link in &mut links {
            if tampered.contains(&Tampering::ChangeRecord(link.sequence)) {
                link.canonical[10] ^= 1;
            }
            if tampered.contains(&Tampering::ChangeHash(link.sequence)) {
                link.hash[0] ^= 1;
            }
            if tampered.contains(&Tampering::RemoveSignature(link.sequence)) {
                link.signature = None;
            }
        }
        Ok(links)
    }

    async fn indexed(&self, stream: StreamId, entries: &[IndexEntry]) -> Result<Vec<bool>, ReadError> {
        self.let_others_go_first().await;
        let tampered = self.tampered();
        let indexed = self.inner.indexed(stream, entries).await?.into_iter();
        let is_kept = |entry: &IndexEntry| !tampered.contains(&Tampering::RemoveLines(entry.sequence));
        Ok(indexed.zip(entries).map(|(is_indexed, entry)| is_indexed && is_kept(entry)).collect())
    }

    async fn index_lines(&self, after: Option<&IndexEntry>, limit: u32) -> Result<Vec<StoredLine>, ReadError> {
        self.let_others_go_first().await;
        let mut lines = self.inner.index_lines(after, limit).await?;
        // Before all others.
        let is_there = self.tampered().contains(&Tampering::AddLines);
        if let Some(line) = self.inner.index_lines(None, 1).await?.pop().filter(|_| is_there && after.is_none()) {
            let entry = IndexEntry { organisation: None, term: Term::new(i64::MIN), ..line.entry };
            lines.insert(0, StoredLine { entry, ..line });
            lines.truncate(limit as usize);
        }
        Ok(lines)
    }

    async fn checkpoints(&self, after: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, ReadError> {
        self.let_others_go_first().await;
        let tampered = self.tampered();
        let mut all = self.inner.checkpoints(after, u32::MAX).await?;
        all.retain(|stored| {
            !tampered.iter().any(|it| match it {
                Tampering::RemoveCheckpoint(at) => *at == stored.number,
                Tampering::CutCheckpoints(from) => stored.number >= *from,
                _ => false,
            })
        });
        all.truncate(limit as usize);
        for stored in &mut all {
            if tampered.contains(&Tampering::ChangeCheckpoint(stored.number)) {
                let at = stored.canonical.len() / 2;
                stored.canonical[at] ^= 1;
            }
        }
        for stored in all.iter_mut().filter(|stored| tampered.contains(&Tampering::RaiseKey(stored.number))) {
            let mut checkpoint = Checkpoint::from_canonical(&stored.canonical).expect("sound");
            checkpoint.newest_key += 1;
            stored.canonical = checkpoint.to_canonical();
        }
        Ok(all)
    }

    async fn checkpoints_before(&self, number: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, ReadError> {
        let all = self.checkpoints(0, u32::MAX).await?.into_iter().rev();
        Ok(all.filter(|stored| stored.number < number).take(limit as usize).collect())
    }

    async fn last_checkpoint(&self) -> Result<Option<StoredCheckpoint>, ReadError> {
        Ok(self.checkpoints(0, u32::MAX).await?.pop())
    }

    async fn behind(&self, reader: &LogReader, after: Option<StreamId>, limit: u32) -> Result<Vec<Behind>, ReadError> {
        self.let_others_go_first().await;
        let count = self.tampered().iter().find_map(|it| match it {
            Tampering::StreamsInFront(count) => Some(*count),
            _ => None,
        });
        let Some(count) = count else { return self.inner.behind(reader, after, limit).await };
        let first = after.map_or(1, |after| after.uuid().as_u128() + 1);
        let in_front = |id| Behind { stream: StreamId::new(Uuid::from_u128(id)), through: 0, end: 1 };
        let mut all: Vec<Behind> = (first..=count).map(in_front).collect();
        // The real one is the last.
        if after.is_some_and(|after| after.uuid().is_nil()) {
            return Ok(Vec::new());
        }
        all.extend(self.inner.behind(reader, None, limit).await?);
        all.truncate(limit as usize);
        Ok(all)
    }
}
