//! Retention: removes records that are old enough, from the front of each stream.
//!
//! What is removed was announced before, by a checkpoint that says where the stream begins from now on. Each announcement is for one
//! unit of each stream: whatever a crash leaves, a stream begins where a checkpoint says that it may, or the rest of a removal comes first.
//!
//! A checkpoint that announces is the server's word for what is gone. So nothing is announced that does not follow, record by record, from
//! where a checkpoint says that the stream begins, up to a signature that holds. What the store says beside that decides nothing.

use super::retention_ledger::{ClockJump, Known};
use crate::engine::{AuditKeyPorts, Engine};
use crate::error::Error;
use core::time::Duration;
use std::collections::HashMap;
use strongroom_domain::audit::{
    Action, AuditRecord, Behind, ChainState, Details, IndexEntry, Ledger, Link, LogReader, Outcome, Resource,
    ResourceKind, SinkName, StreamCheck,
};
use strongroom_domain::id::{EventId, StreamId};
use strongroom_domain::lease::{Epoch, LeaseName, LeaseTtl};
use strongroom_domain::port::CommitErrorKind;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Change, Expect, Unit};

/// How long the lease stands after each step.
const TTL: Duration = Duration::from_secs(120);
/// The most records that one unit removes.
const A_UNIT: u32 = 500;
/// How many streams one announcement is for at the most; what goes of them is in memory meanwhile.
const STREAMS: usize = 16;
/// How many streams are read at once.
const A_PAGE: u32 = 200;
/// After how many announcements the rest is left for the next call.
const STEPS: u32 = 100;
/// How many times as long as a unit took is rested after it, and the bounds of that.
const REST: u32 = 10;
const MIN_REST: Duration = Duration::from_millis(5);
const MAX_REST: Duration = Duration::from_millis(100);

/// What retention removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// How many records this call removed.
    pub removed: u64,
    /// Whether more are old enough.
    pub more: bool,
    /// A record that is not what was written: nothing more goes of its stream until somebody has seen to it. The log is to be verified.
    pub altered: Option<AlteredRecord>,
    /// A jump of the clock that is not believed yet: what would be old by it goes by and by.
    pub jump: Option<ClockJump>,
}

/// A record that is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlteredRecord {
    /// Of this stream.
    pub stream: StreamId,
    /// Its place in the stream, from 1.
    pub sequence: u64,
}

/// Why nothing goes of a stream.
enum Stays {
    Altered(AlteredRecord),
    Error(Error),
}

impl<E: Into<Error>> From<E> for Stays {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// The next records of a stream that may go.
struct Chunk {
    /// The last of them.
    through: ChainState,
    count: u64,
    entries: Vec<IndexEntry>,
    /// Whether a checkpoint said so before: they are what a crash left.
    is_announced: bool,
}

/// Which records may go.
#[derive(Clone, Copy)]
struct Allowed {
    before: Timestamp,
    /// The last one.
    last: u64,
}

impl Engine {
    /// Removes records that are more than `days` (from 1) old: of each stream those that come before the first younger one, as far as the
    /// index, the checkpoints and these sinks have had them. The last record of a stream stays. Each removal leaves a record. A stream with an
    /// altered record keeps what it has, and no other stream for it.
    /// Does nothing while another node is at it, and where no checkpoints are made.
    ///
    /// To be called about every hour, and again soon when there is more.
    ///
    /// # Errors
    /// Those of the store, and of the key that signs checkpoints; the next call goes on where this one stopped.
    pub async fn retain_audit(&self, days: u32, sinks: &[SinkName]) -> Result<Retained, Error> {
        let mut done = Retained::default();
        let Some(ports) = &self.ports.audit_keys else { return Ok(done) };
        let mut known = self.retention_ledger.0.lock().await;
        self.learn(ports, &mut known).await?;
        // From before the first announcement of this round, which is a checkpoint as well.
        let (now, jump) = known.time(self.ports.clock.now());
        done.jump = jump;
        let seconds = i64::from(days.max(1)).saturating_mul(24 * 60 * 60);
        let readers: Vec<LogReader> = [LogReader::Index, LogReader::Checkpoints]
            .into_iter()
            .chain(sinks.iter().cloned().map(LogReader::Sink))
            .collect();
        // Of this round only, so that two rounds on one node keep apart as well.
        let holder = self.ports.ids.next();
        let ttl = LeaseTtl::new(TTL).unwrap_or(LeaseTtl::MAX);
        let mut held = None;
        let cutoff = now.plus_seconds(-seconds);
        for step in 0..=STEPS {
            let chunks = self.old_chunks(ports, &known.ledger, cutoff, &readers, &mut done).await?;
            if chunks.is_empty() {
                break;
            }
            if step == STEPS {
                done.more = true;
                break;
            }
            let Some(lease) = self.ports.leases.acquire(LeaseName::Housekeeping, holder, ttl).await? else { break };
            held = Some(lease);
            // Before the lease was there, another node may have removed some of them.
            let chunks = match step {
                0 => self.old_again(ports, &mut known, cutoff, &readers, &mut done).await,
                _ => Ok(chunks),
            };
            let removed = match chunks {
                Ok(chunks) => self.announce_and_remove(ports, &mut known, chunks, lease.epoch, &mut done.removed).await,
                Err(error) => Err(error),
            };
            match removed {
                Ok(Removed::All) => {}
                Ok(Removed::NotAnnounced) => {
                    done.more = true;
                    break;
                }
                Ok(Removed::LeaseLost) => break,
                Err(error) => {
                    let _ = self.ports.leases.release(&lease).await;
                    return Err(error);
                }
            }
        }
        if let Some(lease) = held {
            // Where it can't be released, it ends by itself.
            let _ = self.ports.leases.release(&lease).await;
        }
        Ok(done)
    }

    async fn old_again(
        &self,
        ports: &AuditKeyPorts,
        known: &mut Known,
        cutoff: Timestamp,
        readers: &[LogReader],
        done: &mut Retained,
    ) -> Result<Vec<Chunk>, Error> {
        self.learn(ports, known).await?;
        self.old_chunks(ports, &known.ledger, cutoff, readers, done).await
    }

    /// The next chunks that may go, of some streams. Notes the first altered record that it meets.
    async fn old_chunks(
        &self,
        ports: &AuditKeyPorts,
        ledger: &Ledger,
        cutoff: Timestamp,
        readers: &[LogReader],
        done: &mut Retained,
    ) -> Result<Vec<Chunk>, Error> {
        let mut chunks = Vec::new();
        let mut after = None;
        loop {
            // Before the others: where one of them has had all of a stream, it has had at least what this tells.
            let page = self.ports.audit.behind(&LogReader::Retention, after, A_PAGE).await?;
            let through = self.had_by_all(&page, readers, after).await?;
            for behind in &page {
                let told = ledger.end_of(behind.stream).map_or(0, |end| end.sequence);
                let last =
                    through.get(&behind.stream).copied().unwrap_or(0).min(behind.end.saturating_sub(1)).min(told);
                match self.old_chunk(ports, ledger, behind.stream, Allowed { before: cutoff, last }).await {
                    Ok(chunk) => chunks.extend(chunk),
                    Err(Stays::Altered(record)) => done.altered = done.altered.or(Some(record)),
                    Err(Stays::Error(error)) => return Err(error),
                }
                if chunks.len() >= STREAMS {
                    return Ok(chunks);
                }
            }
            match page.last() {
                Some(last) if page.len() >= A_PAGE as usize => after = Some(last.stream),
                _ => return Ok(chunks),
            }
        }
    }

    /// How far all of these readers are with each of the streams.
    async fn had_by_all(
        &self,
        page: &[Behind],
        readers: &[LogReader],
        before: Option<StreamId>,
    ) -> Result<HashMap<StreamId, u64>, Error> {
        let mut through: HashMap<StreamId, u64> = page.iter().map(|behind| (behind.stream, behind.end)).collect();
        for reader in readers {
            let mut after = before;
            // Streams stand in one order for all readers, so none of these comes after the last of the page.
            let mut left = through.len();
            while left > 0 {
                let read = self.ports.audit.behind(reader, after, A_PAGE).await?;
                for behind in &read {
                    if let Some(through) = through.get_mut(&behind.stream) {
                        *through = (*through).min(behind.through);
                        // A stream that vanished meanwhile makes the store begin at the first again.
                        left = left.saturating_sub(1);
                    }
                }
                match read.last() {
                    Some(last) if read.len() >= A_PAGE as usize => after = Some(last.stream),
                    _ => break,
                }
            }
        }
        Ok(through)
    }

    /// The next chunk of a stream.
    async fn old_chunk(
        &self,
        ports: &AuditKeyPorts,
        ledger: &Ledger,
        stream: StreamId,
        allowed: Allowed,
    ) -> Result<Option<Chunk>, Stays> {
        let begin = ledger.begin_of(stream).copied().unwrap_or_else(|| ChainState::begin(stream));
        let Some(first) = self.ports.audit.links(stream, 0, 1).await?.into_iter().next() else { return Ok(None) };
        if first.sequence <= begin.sequence {
            // What was announced goes first, however old: the stream begins after it already.
            let announced = Allowed { before: Timestamp::from_micros(i64::MAX), last: begin.sequence };
            return match self.chunk(ports, ledger, ChainState::begin(stream), announced).await? {
                Some(chunk) if chunk.through == begin => Ok(Some(Chunk { is_announced: true, ..chunk })),
                _ => Err(altered(stream, first.sequence)),
            };
        }
        // Mostly there is nothing old, and then no more is read.
        if allowed.last <= begin.sequence
            || AuditRecord::from_canonical(&first.canonical).is_ok_and(|it| it.at >= allowed.before)
        {
            return Ok(None);
        }
        self.chunk(ports, ledger, begin, allowed).await
    }

    /// The records after `after` that may go, each of which follows from the one before, up to a signature that holds: what was altered must
    /// not become where the stream begins, since then nobody could tell any more.
    async fn chunk(
        &self,
        ports: &AuditKeyPorts,
        ledger: &Ledger,
        after: ChainState,
        allowed: Allowed,
    ) -> Result<Option<Chunk>, Stays> {
        let ChainState { stream, sequence: mut read, .. } = after;
        let mut check = StreamCheck::begin(stream);
        let mut chunk = Chunk { through: after, count: 0, entries: Vec::new(), is_announced: false };
        let mut is_closed = false;
        loop {
            let page: Vec<Link> = self.ports.audit.links(stream, read, A_UNIT).await?;
            for link in &page {
                if check.take(link, ledger, &*ports.verifier).is_some() {
                    return Err(altered(stream, link.sequence));
                }
                let record =
                    AuditRecord::from_canonical(&link.canonical).map_err(|_| altered(stream, link.sequence))?;
                is_closed |= link.sequence > allowed.last || record.at >= allowed.before;
                if !is_closed {
                    chunk.through = check.through;
                    chunk.count += 1;
                    chunk.entries.extend(IndexEntry::of(&record, link.sequence));
                    is_closed = chunk.count >= u64::from(A_UNIT);
                }
                if is_closed && (chunk.count == 0 || check.signed >= chunk.through.sequence) {
                    return Ok((chunk.count > 0).then_some(chunk));
                }
                read = link.sequence;
            }
            if page.len() < A_UNIT as usize {
                return match chunk.count {
                    0 => Ok(None),
                    _ if check.signed >= chunk.through.sequence => Ok(Some(chunk)),
                    _ => Err(altered(stream, chunk.through.sequence)),
                };
            }
        }
    }

    /// Announces what was not announced, and removes all of it.
    async fn announce_and_remove(
        &self,
        ports: &AuditKeyPorts,
        known: &mut Known,
        chunks: Vec<Chunk>,
        epoch: Epoch,
        removed: &mut u64,
    ) -> Result<Removed, Error> {
        let begins: Vec<ChainState> =
            chunks.iter().filter(|chunk| !chunk.is_announced).map(|chunk| chunk.through).collect();
        if !begins.is_empty() && !self.announce_begins(begins).await? {
            return Ok(Removed::NotAnnounced);
        }
        self.learn(ports, known).await?;
        // Only what the checkpoints, as they are now, say: another node may have gone on meanwhile.
        if chunks.iter().any(|it| known.ledger.begin_of(it.through.stream) != Some(&it.through)) {
            return Ok(Removed::NotAnnounced);
        }
        Ok(if self.remove_chunks(chunks, epoch, removed).await? { Removed::All } else { Removed::LeaseLost })
    }

    /// `false` when the lease is lost.
    async fn remove_chunks(&self, chunks: Vec<Chunk>, epoch: Epoch, removed: &mut u64) -> Result<bool, Error> {
        let lease = Expect::Lease(LeaseName::Housekeeping, epoch);
        for chunk in chunks {
            let (count, begun) = (chunk.count, self.ports.clock.now());
            match self.ports.committer.commit(self.removal(chunk, lease.clone(), begun)).await {
                Ok(()) => *removed += count,
                Err(error) if *error.kind() == CommitErrorKind::Conflict(lease.clone()) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
            // A writer that is busy has others to serve.
            let took = Duration::from_micros(self.ports.clock.now().micros_since(begun));
            self.ports.clock.sleep(took.saturating_mul(REST).clamp(MIN_REST, MAX_REST)).await;
        }
        Ok(true)
    }

    fn removal(&self, chunk: Chunk, lease: Expect, at: Timestamp) -> Unit {
        let Chunk { through: ChainState { stream, sequence: through, .. }, count, entries, .. } = chunk;
        let record = AuditRecord {
            event: EventId::new(self.ports.ids.next()),
            at,
            action: Action::AuditRetention,
            outcome: Outcome::Success,
            status: 200,
            organisation: None,
            region: None,
            project: None,
            principal: None,
            credential: None,
            resource: Some(Resource {
                kind: ResourceKind::AuditLog,
                identity: stream.to_string(),
                id: Some(stream.uuid()),
                version: None,
            }),
            decided_by: None,
            request: None,
            details: Some(Box::new(Details { count: Some(count), ..Details::default() })),
        };
        Unit {
            expect: vec![lease],
            changes: vec![Change::RemoveRecords { stream, through, entries }],
            records: vec![record],
        }
    }
}

/// How a step went.
enum Removed {
    All,
    /// Another node is faster just now.
    NotAnnounced,
    LeaseLost,
}

const fn altered(stream: StreamId, sequence: u64) -> Stays {
    Stays::Altered(AlteredRecord { stream, sequence })
}
