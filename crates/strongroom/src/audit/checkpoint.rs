//! Checkpoints of the audit log, and the keys that they make known.

use super::keys::{new_keys, unsealed};
use super::soundness::{Sound, damaged};
use crate::engine::{AuditKeyPorts, Engine, MAX_TRIES};
use crate::error::{Code, Error};
use async_lock::Mutex;
use core::time::Duration;
use std::collections::HashSet;
use strongroom_domain::audit::{Behind, ChainState, Checkpoint, LogReader, SignedCheckpoint};
use strongroom_domain::id::StreamId;
use strongroom_domain::lease::{Epoch, LeaseName, LeaseTtl};
use strongroom_domain::port::CommitErrorKind;
use strongroom_domain::root_key::SealedInstanceKey;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Change, Expect, UniqueKey, Unit};
use uuid::Uuid;

/// How long the lease stands: so long no checkpoint is written after the node that wrote them died.
const TTL: Duration = Duration::from_secs(10);
/// How many microseconds old a lease is when it is renewed.
const RENEWED_AFTER: u64 = 3_000_000;
/// After how many microseconds without a checkpoint one is written that tells of no stream: an hour. So the log says when servers ran, also
/// while nothing happened.
const AT_LEAST_EVERY: u64 = 60 * 60 * 1_000_000;
/// Of how many streams one checkpoint tells at the most.
const STREAMS: u32 = 1_000;
/// How many streams one round looks at, at the most, while it finds unsound ones.
const LOOKED_AT: usize = 4_000;

/// The lease to write checkpoints, kept from round to round so that not every round writes one.
#[derive(Default)]
pub(crate) struct CheckpointLease {
    tenancy: Mutex<Tenancy>,
    pub(super) sound: Sound,
}

#[derive(Default)]
struct Tenancy {
    /// Names this engine to the store from its first round on.
    holder: Option<Uuid>,
    held: Option<(Epoch, Timestamp)>,
    /// After which stream the next round goes on, where one round could not look at all.
    after: Option<StreamId>,
    /// When a checkpoint was made, mostly the last one.
    last_at: Option<Timestamp>,
}

/// What the last checkpoint says.
pub(super) struct Last {
    pub(super) number: u64,
    at: Timestamp,
    hash: [u8; 32],
    /// 0 before the first.
    pub(super) newest_key: u32,
}

/// Streams as they are to be told of.
#[derive(Default)]
struct Ends {
    sound: Vec<ChainState>,
    /// The first whose last record isn't what a writer signed, and that record.
    unsound: Option<(StreamId, u64)>,
}

impl Engine {
    /// Writes a checkpoint of the audit log, when streams have moved since the last one, or an hour has gone by; and makes known new keys that
    /// are to sign. Does nothing while another node is at it, where there are no keys, and before the first record. To be called about every
    /// second.
    ///
    /// # Errors
    /// Those of the store, and [`Code::Internal`] when the last checkpoint, or the last record of a stream, is not what was signed: the log
    /// is to be verified then. Of the other streams a checkpoint was written nevertheless: so call it again as soon
    /// as after no error, and only tell of it.
    pub async fn checkpoint_audit(&self) -> Result<Option<SignedCheckpoint>, Error> {
        let Some(ports) = &self.ports.audit_keys else { return Ok(None) };
        let mut tenancy = self.checkpoint_lease.tenancy.lock().await;
        // Mostly, on a store that rests, there is nothing to do, and then no lease is written.
        let first = self.first_behind(&mut tenancy).await?;
        if first.is_empty() && !self.is_checkpoint_due(&mut tenancy).await? {
            return Ok(None);
        }
        let Some(epoch) = self.hold_checkpoints(&mut tenancy).await? else { return Ok(None) };
        let (last, keys) = self.last_checkpoint(ports).await?;
        let ends = self.ends_of(ports, (&keys, last.newest_key), first, &mut tenancy.after).await?;
        let written = match self.made(ports, &keys, last, Vec::new(), ends.sound)? {
            Some(made) => {
                let expect = vec![Expect::Lease(LeaseName::AuditCheckpoint, epoch)];
                match self.write_checkpoint(made, expect).await {
                    Ok(written) => Some(written),
                    Err(Refused::Faster) => None,
                    Err(Refused::Lost) => {
                        tenancy.held = None;
                        None
                    }
                    Err(Refused::Error(error)) => return Err(error),
                }
            }
            None => None,
        };
        if let Some(written) = &written {
            ports.keys.adopt(&keys, written.checkpoint.newest_key).map_err(unsealed)?;
        }
        match ends.unsound {
            None => Ok(written),
            Some((stream, sequence)) => Err(Error::new(
                Code::Internal,
                format!(
                    "Record {sequence} of the audit log's stream {stream} is gone, or not what its writer signed; verify the log."
                ),
            )),
        }
    }

    /// Lets another node write checkpoints at once. To be called after the last round, when this one stops.
    ///
    /// # Errors
    /// Those of the store; then others write them when the lease has run out.
    pub async fn release_audit_checkpoints(&self) -> Result<(), Error> {
        let mut tenancy = self.checkpoint_lease.tenancy.lock().await;
        let (Some(holder), Some(_)) = (tenancy.holder, tenancy.held.take()) else { return Ok(()) };
        let ttl = LeaseTtl::new(TTL).unwrap_or(LeaseTtl::MIN);
        if let Some(lease) = self.ports.leases.acquire(LeaseName::AuditCheckpoint, holder, ttl).await? {
            self.ports.leases.release(&lease).await?;
        }
        Ok(())
    }

    /// Announces that these streams begin after these records from now on. `false` when others write checkpoints all the time; then
    /// nothing was announced.
    pub(crate) async fn announce_begins(&self, begins: Vec<ChainState>) -> Result<bool, Error> {
        let ports = self.audit_keys()?;
        for attempt in 0..MAX_TRIES {
            if attempt > 0 {
                self.back_off(attempt).await?;
            }
            let (last, keys) = self.last_checkpoint(ports).await?;
            // Another node may write the checkpoints; the number alone keeps two apart.
            let Some(made) = self.made(ports, &keys, last, begins.clone(), Vec::new())? else { continue };
            match self.write_checkpoint(made, Vec::new()).await {
                Ok(written) => {
                    ports.keys.adopt(&keys, written.checkpoint.newest_key).map_err(unsealed)?;
                    return Ok(true);
                }
                Err(Refused::Faster | Refused::Lost) => {}
                Err(Refused::Error(error)) => return Err(error),
            }
        }
        Ok(false)
    }

    /// The tenure of this engine, prolonged when it is about to end; `None` while another has it.
    async fn hold_checkpoints(&self, tenancy: &mut Tenancy) -> Result<Option<Epoch>, Error> {
        let now = self.ports.clock.now();
        if let Some((epoch, since)) = tenancy.held
            && now >= since
            && now.micros_since(since) < RENEWED_AFTER
        {
            return Ok(Some(epoch));
        }
        let ttl = LeaseTtl::new(TTL).unwrap_or(LeaseTtl::MIN);
        let holder = *tenancy.holder.get_or_insert_with(|| self.ports.ids.next());
        let lease = self.ports.leases.acquire(LeaseName::AuditCheckpoint, holder, ttl).await?;
        tenancy.held = lease.map(|lease| (lease.epoch, now));
        Ok(tenancy.held.map(|(epoch, _)| epoch))
    }

    /// The last checkpoint, which is what was signed, and the keys of the store, read after it.
    pub(super) async fn last_checkpoint(&self, ports: &AuditKeyPorts) -> Result<(Last, Vec<SealedInstanceKey>), Error> {
        // Before the checkpoint is read: so that one knows all that was adopted until then.
        let signing = ports.keys.current();
        let newest = self.newest_checkpoint_seen();
        let mut stored = self.ports.audit.last_checkpoint().await?;
        if stored.is_none() && (newest.is_some() || self.were_there_checkpoints().await?) {
            // Another node may have written the first one just now.
            stored = Some(self.ports.audit.last_checkpoint().await?.ok_or_else(gone)?);
        }
        let keys = self.stored_audit_keys().await?;
        let Some(stored) = stored else {
            return Ok((Last { number: 0, at: Timestamp::EPOCH, hash: [0; 32], newest_key: 0 }, keys));
        };
        let signed = stored.read().ok_or_else(|| damaged(stored.number))?;
        let hash = signed.checkpoint.hash();
        self.check_checkpoint(ports, &keys, &signed, hash)?;
        self.leads_to(newest, &signed.checkpoint, hash).await?;
        let Checkpoint { number, at, newest_key, .. } = signed.checkpoint;
        self.saw_checkpoint(number, hash);
        if newest_key < signing {
            return Err(Error::new(
                Code::Internal,
                format!(
                    "The audit log is signed with version {signing} of its key here, and its last checkpoint knows none newer than {newest_key}: \
                     the store was set back; verify the log, with an anchor if you have one."
                ),
            ));
        }
        Ok((Last { number, at, hash, newest_key }, keys))
    }

    /// Whether the store knows of a stream that a checkpoint told of it. Every stream has records, which are behind until then; one that
    /// has none was slipped in.
    async fn were_there_checkpoints(&self) -> Result<bool, Error> {
        // Before those that are behind, so that a stream that begins meanwhile is among these at the most.
        let mut told: HashSet<StreamId> = self.ports.audit.streams().await?.into_iter().collect();
        let mut after = None;
        loop {
            let page = self.ports.audit.behind(&LogReader::Checkpoints, after, STREAMS).await?;
            for behind in &page {
                if behind.through > 0 {
                    return Ok(true);
                }
                told.remove(&behind.stream);
            }
            after = page.last().filter(|_| page.len() >= STREAMS as usize).map(|last| last.stream);
            if after.is_none() {
                break;
            }
        }
        for stream in told {
            if !self.links_after(stream, 0, 1).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The streams with which a round begins; none when none moved.
    async fn first_behind(&self, tenancy: &mut Tenancy) -> Result<Vec<Behind>, Error> {
        loop {
            let behind = self.ports.audit.behind(&LogReader::Checkpoints, tenancy.after, STREAMS).await?;
            match tenancy.after {
                Some(_) if behind.is_empty() => tenancy.after = None,
                _ => return Ok(behind),
            }
        }
    }

    /// Whether the last checkpoint is long ago.
    async fn is_checkpoint_due(&self, tenancy: &mut Tenancy) -> Result<bool, Error> {
        let now = self.ports.clock.now();
        let is_recent = |at: &Timestamp| !is_long_from(now, *at);
        if tenancy.last_at.as_ref().is_some_and(is_recent) {
            return Ok(false);
        }
        tenancy.last_at = self.newest_audit_checkpoint().await?.map(|(_, at)| at);
        Ok(tenancy.last_at.as_ref().is_some_and(|at| !is_recent(at)))
    }

    /// How far the streams have come, of those whose last record is what its writer signed; from the first of them on. Unsound ones take no
    /// other's place: `after` says where the next round goes on when this one could not look at all.
    async fn ends_of(
        &self,
        ports: &AuditKeyPorts,
        (keys, newest_key): (&[SealedInstanceKey], u32),
        first: Vec<Behind>,
        after: &mut Option<StreamId>,
    ) -> Result<Ends, Error> {
        let mut ends = Ends::default();
        let (mut page, mut asked, mut looked_at) = (first, STREAMS as usize, 0);
        loop {
            for behind in &page {
                // A checkpoint told of more: what is gone must show, so nothing is told of what is left.
                if behind.through > behind.end {
                    ends.unsound = ends.unsound.or(Some((behind.stream, behind.end + 1)));
                    continue;
                }
                match self.sound_end(ports, keys, newest_key, *behind).await? {
                    Some(state) => ends.sound.push(state),
                    None => ends.unsound = ends.unsound.or(Some((behind.stream, behind.end))),
                }
            }
            looked_at += page.len();
            *after = page.last().filter(|_| page.len() >= asked).map(|last| last.stream);
            let room = STREAMS.saturating_sub(u32::try_from(ends.sound.len()).unwrap_or(STREAMS));
            if after.is_none() || room == 0 || looked_at >= LOOKED_AT {
                return Ok(ends);
            }
            page = self.ports.audit.behind(&LogReader::Checkpoints, *after, room).await?;
            asked = room as usize;
        }
    }

    /// The checkpoint to be written; `None` when it would say nothing.
    fn made(
        &self,
        ports: &AuditKeyPorts,
        stored: &[SealedInstanceKey],
        last: Last,
        begins: Vec<ChainState>,
        ends: Vec<ChainState>,
    ) -> Result<Option<SignedCheckpoint>, Error> {
        ports.keys.adopt(stored, last.newest_key).map_err(unsealed)?;
        let mut keys = new_keys(ports, stored, last.newest_key);
        if last.number == 0 {
            keys.truncate(1);
        }
        let now = self.ports.clock.now();
        let is_due = last.number > 0 && is_long_from(now, last.at);
        if keys.is_empty() && begins.is_empty() && ends.is_empty() && !is_due {
            return Ok(None);
        }
        let signs = if last.number == 0 { keys.first().map_or(0, |key| key.version) } else { last.newest_key };
        let newest_key = keys.last().map_or(last.newest_key, |key| key.version);
        let number = last.number + 1;
        // Not for a clock that was far ahead, and was set right: what time it is by then, checkpoints must say.
        let at = if last.at.micros_since(now) < AT_LEAST_EVERY { now.max(last.at) } else { now };
        let checkpoint = Checkpoint { number, at, previous: last.hash, keys, newest_key, begins, ends };
        let signature = ports.keys.sign(&checkpoint.signed_bytes());
        if signature.key_version == signs {
            return Ok(Some(SignedCheckpoint { checkpoint, signature }));
        }
        // Another node made a newer key known just now: the next round reads that.
        if signature.key_version > signs && last.number > 0 {
            return Ok(None);
        }
        Err(Error::new(
            Code::Internal,
            format!(
                "The audit log is signed with version {} of its key here, and its checkpoints with version {signs}; verify the log.",
                signature.key_version
            ),
        ))
    }

    async fn write_checkpoint(
        &self,
        made: SignedCheckpoint,
        mut expect: Vec<Expect>,
    ) -> Result<SignedCheckpoint, Refused> {
        expect.push(Expect::Absent(UniqueKey::Checkpoint(made.checkpoint.number)));
        let unit = Unit { expect, changes: vec![Change::AddCheckpoint(made.clone())], records: Vec::new() };
        let committed = self.ports.committer.commit(unit).await;
        if committed.is_ok() {
            self.saw_checkpoint(made.checkpoint.number, made.checkpoint.hash());
        }
        committed.map(|()| made).map_err(|error| match error.kind() {
            CommitErrorKind::Conflict(Expect::Lease(..)) => Refused::Lost,
            CommitErrorKind::Conflict(_) => Refused::Faster,
            _ => Refused::Error(error.into()),
        })
    }
}

/// Whether so much lies between these times, whichever comes first, that there is to be a checkpoint.
const fn is_long_from(now: Timestamp, last: Timestamp) -> bool {
    now.micros_since(last) >= AT_LEAST_EVERY || last.micros_since(now) >= AT_LEAST_EVERY
}

fn gone() -> Error {
    let text = "The checkpoints of the audit log are gone; verify the log, with an anchor if you have one.";
    Error::new(Code::Internal, text)
}

/// Why a checkpoint was not written.
enum Refused {
    /// Another one of its number was.
    Faster,
    /// The lease is another's by now.
    Lost,
    Error(Error),
}
