//! Sends the log on: records to sinks, from the store as the outbox, and checkpoints to wherever they are kept apart from it.
//!
//! One node at a time sends records, under a lease that its sinks share. How far each sink is with each stream is kept in the store,
//! under that lease; so a node that comes after another one goes on where the other stopped, and what that one sent and could not note comes
//! twice.

use super::run::Run;
use super::sink_turns::SinkTurns;
use super::soundness::damaged;
use crate::engine::Engine;
use crate::error::Error;
use core::time::Duration;
use metrics::{Unit as Measure, counter, describe_counter};
use std::sync::{Mutex, OnceLock, PoisonError};
use strongroom_domain::audit::{Behind, ChainHash, LogReader, SignedCheckpoint, SinkName};
use strongroom_domain::id::StreamId;
use strongroom_domain::lease::{Lease, LeaseName, LeaseTtl};
use strongroom_domain::port::{AuditSink, CheckpointSink, CommitErrorKind, SinkError, StoredCheckpoint};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Change, Expect, Unit};
use uuid::Uuid;

/// How long the lease stands: longer than a sink takes to give up, so that no other node sends the same meanwhile.
const TTL: Duration = Duration::from_secs(120);
/// How many microseconds old a lease is when it is renewed.
const RENEWED_AFTER: u64 = 20_000_000;
/// How many streams are looked at at once.
const STREAMS: u32 = 100;
/// How many deliveries a stream has in one round, so that each has its turn.
const DELIVERIES: u32 = 8;
/// In how many streams the oldest record is looked for.
const OLDEST_IN: usize = 32;
/// How many checkpoints are read at once.
const CHECKPOINTS: u32 = 100;

const RECORDS: &str = "strongroom_audit_sink_records_total";
const DELIVERED: &str = "strongroom_audit_sink_deliveries_total";
const UNREADABLE: &str = "strongroom_audit_sink_unreadable_records_total";
const FAILED: &str = "strongroom_audit_sink_failures_total";

/// What a round of a sink did.
#[derive(Debug, Default)]
pub struct Forwarded {
    /// How many records it took.
    pub records: u64,
    /// How many records it was not given, because they are damaged and can't be read: verification names them.
    pub unreadable: u64,
    /// In how many streams there are records which no writer put there: the sink is not given those. Verification names them.
    pub foreign: u64,
    /// Whether others wait for it.
    pub more: bool,
    /// Why it did not take what it was given last, after the round had come on with others: that ended the round.
    pub refused: Option<SinkError>,
}

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// The sink did not take something; it is given the same again.
    #[error("the sink did not take what it was given")]
    Sink(#[from] SinkError),
    /// The store has no checkpoint of this number any more, or another one than was published. Nothing is published then: what is there
    /// shows what was lost.
    #[error(
        "checkpoint {0} was published, and the store does not have it: the store was set back, or its audit log cut off"
    )]
    SetBack(u64),
}

/// The last checkpoint that was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedCheckpoint {
    /// Its number, from 1.
    pub number: u64,
    /// Its hash.
    pub hash: ChainHash,
}

impl From<&SignedCheckpoint> for PublishedCheckpoint {
    fn from(SignedCheckpoint { checkpoint, .. }: &SignedCheckpoint) -> Self {
        Self { number: checkpoint.number, hash: checkpoint.hash() }
    }
}

/// How far a reader of the log lags behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditLag {
    /// How many records it has not had.
    pub records: u64,
    /// When the oldest of them was made; where many streams wait, of the first of them. One that can't be read tells nothing.
    pub oldest: Option<Timestamp>,
}

/// The lease to send records, kept from round to round: all sinks of this node share it.
pub(crate) struct SinkLease {
    holder: OnceLock<Uuid>,
    held: Mutex<Option<(Lease, Timestamp)>>,
}

impl SinkLease {
    pub(crate) fn new() -> Self {
        describe_counter!(RECORDS, Measure::Count, "Audit records that a sink took.");
        describe_counter!(DELIVERED, Measure::Count, "Deliveries of audit records that a sink took.");
        describe_counter!(UNREADABLE, Measure::Count, "Damaged audit records that a sink could not be given.");
        describe_counter!(FAILED, Measure::Count, "Deliveries of audit records that a sink did not take.");
        Self { holder: OnceLock::new(), held: Mutex::new(None) }
    }

    fn set(&self, held: Option<(Lease, Timestamp)>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
    }

    fn get(&self) -> Option<(Lease, Timestamp)> {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of one delivery.
enum Delivery {
    /// So many records went out, so many can't be read; up to this one.
    Done { sent: u64, unreadable: u64, last: u64 },
    /// The sink did not take these.
    Refused { records: usize, error: SinkError },
    /// There is nothing in the stream any more.
    Empty,
    /// What is there is not the stream's.
    Foreign,
    /// Another node sends records by now.
    Lost,
}

impl Engine {
    /// One round of a sink: gives it records of each stream that it has not had, in the order of the stream. Does nothing while another
    /// node sends. One round of a sink at a time; those of different sinks may run side by side. `turns`: this sink's own, the same in each
    /// of its rounds.
    ///
    /// The round ends with the first delivery that the sink does not take, so that a dead one costs it no more than one; the next begins with
    /// the streams behind, so that none waits because of another one's records. What was not taken comes again, fewer records at once: a
    /// sink that can't take many in its time may take one.
    ///
    /// To be called again and again: at once after a round with `more` and nothing `refused`, else about every second; after an error wait.
    ///
    /// # Errors
    /// [`ForwardError`]; what was delivered before is noted. Damaged records are none: they are counted, and those behind them delivered.
    /// That a sink did not take something is one only when the round had come on with nothing before: a sink that fails now and then, or
    /// with one stream, is not to be given up for longer and longer.
    pub async fn forward_audit(&self, sink: &dyn AuditSink, turns: &mut SinkTurns) -> Result<Forwarded, ForwardError> {
        let reader = LogReader::Sink(sink.name().clone());
        let mut done = Forwarded::default();
        for behind in turns.order(self.streams_behind(&reader).await?) {
            match self.forward_stream(sink, &reader, behind, turns, &mut done).await {
                Ok(true) => {}
                Ok(false) => return Ok(Forwarded { more: false, ..done }),
                Err(ForwardError::Sink(error)) if done.records > 0 || done.unreadable > 0 => {
                    return Ok(Forwarded { more: true, refused: Some(error), ..done });
                }
                Err(error) => return Err(error),
            }
        }
        turns.nothing_refused();
        Ok(done)
    }

    /// All streams with records that the reader has not had.
    pub(super) async fn streams_behind(&self, reader: &LogReader) -> Result<Vec<Behind>, Error> {
        let mut found: Vec<Behind> = Vec::new();
        loop {
            let after = found.last().map(|last| last.stream);
            let page = self.ports.audit.behind(reader, after, STREAMS).await?;
            let is_all = page.len() < STREAMS as usize;
            found.extend(page);
            if is_all {
                return Ok(found);
            }
        }
    }

    /// Counts the records of the stream that went out; `false` when another node sends.
    async fn forward_stream(
        &self,
        sink: &dyn AuditSink,
        reader: &LogReader,
        Behind { stream, mut through, end }: Behind,
        turns: &mut SinkTurns,
        done: &mut Forwarded,
    ) -> Result<bool, ForwardError> {
        for _ in 0..DELIVERIES {
            match self.deliver(sink, reader, (stream, through), turns.batch(stream)).await? {
                Delivery::Done { sent, unreadable, last } => {
                    if sent > 0 {
                        turns.taken(stream);
                    }
                    done.records += sent;
                    done.unreadable += unreadable;
                    through = last;
                }
                Delivery::Refused { records, error } => {
                    turns.refused(stream, records);
                    return Err(error.into());
                }
                Delivery::Empty => {
                    turns.caught_up(stream);
                    return Ok(true);
                }
                Delivery::Foreign => {
                    done.foreign += 1;
                    turns.caught_up(stream);
                    return Ok(true);
                }
                Delivery::Lost => return Ok(false),
            }
            if through >= end {
                turns.caught_up(stream);
                return Ok(true);
            }
        }
        done.more = true;
        Ok(true)
    }

    async fn deliver(
        &self,
        sink: &dyn AuditSink,
        reader: &LogReader,
        (stream, through): (StreamId, u64),
        batch: u32,
    ) -> Result<Delivery, ForwardError> {
        let Some(lease) = self.lease_sinks().await? else { return Ok(Delivery::Lost) };
        let Run { records, unreadable, last, is_foreign } = self.next_run(stream, through, batch).await?;
        let Some(through) = last else { return Ok(if is_foreign { Delivery::Foreign } else { Delivery::Empty }) };
        if !records.is_empty() {
            let delivered = sink.deliver(&records).await;
            count(sink.name(), records.len() as u64, delivered.is_ok());
            if let Err(error) = delivered {
                return Ok(Delivery::Refused { records: records.len(), error });
            }
        }
        let expect = Expect::Lease(lease.name, lease.epoch);
        let advance = Change::AdvanceReader { reader: reader.clone(), stream, through };
        let unit = Unit { expect: vec![expect.clone()], changes: vec![advance], records: Vec::new() };
        match self.ports.committer.commit(unit).await {
            Ok(()) => {
                // Also by none, so that it is there before it is needed.
                counter!(UNREADABLE, "sink" => sink.name().to_string()).increment(unreadable);
                Ok(Delivery::Done { sent: records.len() as u64, unreadable, last: through })
            }
            Err(error) if *error.kind() == CommitErrorKind::Conflict(expect) => {
                self.sink_lease.set(None);
                Ok(Delivery::Lost)
            }
            Err(error) => Err(Error::from(error).into()),
        }
    }

    async fn lease_sinks(&self) -> Result<Option<Lease>, Error> {
        let now = self.ports.clock.now();
        if let Some((lease, since)) = self.sink_lease.get()
            && now >= since
            && now.micros_since(since) < RENEWED_AFTER
        {
            return Ok(Some(lease));
        }
        let ttl = LeaseTtl::new(TTL).unwrap_or(LeaseTtl::MAX);
        let holder = *self.sink_lease.holder.get_or_init(|| self.ports.ids.next());
        let lease = self.ports.leases.acquire(LeaseName::AuditSinks, holder, ttl).await?;
        self.sink_lease.set(lease.map(|lease| (lease, now)));
        Ok(lease)
    }

    /// Lets another node send at once. To be called after the last round, when this one stops.
    ///
    /// # Errors
    /// Those of the store; then others send when the lease has run out.
    pub async fn release_audit_sinks(&self) -> Result<(), Error> {
        if let Some((lease, _)) = self.sink_lease.get() {
            self.ports.leases.release(&lease).await?;
            self.sink_lease.set(None);
        }
        Ok(())
    }

    /// How far a reader of the log lags behind it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn audit_lag(&self, reader: &LogReader) -> Result<AuditLag, Error> {
        let mut lag = AuditLag::default();
        let mut after = None;
        let mut left = OLDEST_IN;
        loop {
            let page = self.ports.audit.behind(reader, after, STREAMS).await?;
            lag.records += page.iter().map(|behind| behind.end.saturating_sub(behind.through)).sum::<u64>();
            for behind in page.iter().take(left) {
                let first = self.next_run(behind.stream, behind.through, 1).await?;
                let at = first.records.first().map(|first| first.record.at);
                lag.oldest = lag.oldest.into_iter().chain(at).min();
            }
            left = left.saturating_sub(page.len());
            match page.last() {
                Some(last) if page.len() >= STREAMS as usize => after = Some(last.stream),
                _ => return Ok(lag),
            }
        }
    }

    /// The number of the last checkpoint, and when it was made.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn newest_audit_checkpoint(&self) -> Result<Option<(u64, Timestamp)>, Error> {
        let last = self.ports.audit.last_checkpoint().await?.and_then(|last| last.read());
        Ok(last.map(|last| (last.checkpoint.number, last.checkpoint.at)))
    }

    /// Publishes the checkpoints that were made after `last`, in order, and moves it on with each that was taken; `None`, of one who has published
    /// none, stands for all but the newest. Each is published only when it is what was signed, and follows from the one before. To be
    /// called about every second; every node publishes for itself.
    ///
    /// # Errors
    /// [`ForwardError`]; what was not taken is published again.
    pub async fn publish_checkpoints(
        &self,
        sink: &dyn CheckpointSink,
        last: &mut Option<PublishedCheckpoint>,
    ) -> Result<(), ForwardError> {
        let mut page = match *last {
            Some(last) => {
                let mut page = self.checkpoints_after(last.number.saturating_sub(1)).await?;
                let own = (!page.is_empty()).then(|| page.remove(0)).and_then(|stored| stored.read());
                if own.is_none_or(|own| PublishedCheckpoint::from(&own) != last) {
                    return Err(ForwardError::SetBack(last.number));
                }
                page
            }
            None => Vec::from_iter(self.ports.audit.last_checkpoint().await.map_err(Error::from)?),
        };
        while !page.is_empty() {
            let (ports, keys) = (self.audit_keys()?, self.stored_audit_keys().await?);
            for stored in page {
                let signed = stored.read().ok_or_else(|| damaged(stored.number))?;
                let this = PublishedCheckpoint::from(&signed);
                let follows = |last: PublishedCheckpoint| {
                    last.number.checked_add(1) == Some(this.number) && last.hash == signed.checkpoint.previous
                };
                if !last.is_none_or(follows) {
                    return Err(damaged(stored.number).into());
                }
                self.check_checkpoint(ports, &keys, &signed, this.hash)?;
                sink.publish(&signed).await?;
                *last = Some(this);
            }
            page = self.checkpoints_after(last.map_or(0, |last| last.number)).await?;
        }
        Ok(())
    }

    async fn checkpoints_after(&self, number: u64) -> Result<Vec<StoredCheckpoint>, Error> {
        Ok(self.ports.audit.checkpoints(number, CHECKPOINTS).await?)
    }
}

fn count(sink: &SinkName, records: u64, taken: bool) {
    let sink = sink.to_string();
    if taken {
        counter!(RECORDS, "sink" => sink.clone()).increment(records);
        counter!(DELIVERED, "sink" => sink).increment(1);
    } else {
        counter!(FAILED, "sink" => sink).increment(1);
    }
}
