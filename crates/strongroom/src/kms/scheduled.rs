//! What is done to KMS keys without a caller: rotations that are due, and the purge of keys whose date has come.
//!
//! One node at a time does it, under a lease, and each of its writes expects that lease: so each happens once, however many nodes there
//! are. A node that dies in the middle leaves nothing that the next round doesn't repair.

use crate::audit;
use crate::engine::Engine;
use crate::error::{Code, Error};
use core::time::Duration;
use std::collections::HashSet;
use std::sync::Arc;
use strongroom_domain::audit::{Action, AuditRecord, Outcome};
use strongroom_domain::id::{EventId, KeyId, RegionId};
use strongroom_domain::kms::{Key, KeyVersion, KeyVersionNumber};
use strongroom_domain::lease::{Lease, LeaseName, LeaseTtl, Renewal};
use strongroom_domain::port::{CommitErrorKind, Freshness, KeyDue, Kms};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{AggregateId, Change, Expect, Unit};

/// How long a lease stands after each key: longer than a KMS takes to answer, or not.
const TTL: Duration = Duration::from_secs(120);
/// How many keys one round sees to at the most; the next ones are for the round after.
const A_ROUND: u32 = 500;
/// How long after its date a key is purged. By then no call that began before the date, on a node whose clock is behind, can call the
/// deletion off any more.
const GRACE_SECONDS: i64 = 60 * 60;
/// After how many erased versions of a key the lease is renewed.
const ERASED_AT_ONCE: usize = 16;
/// How many keys are read at once.
const READ_AT_ONCE: u32 = 50;
/// How many keys that stay due one round passes over before it gives up.
const MAX_PASSED: usize = 10_000;
/// How many failures leave a record; during an outage there may be thousands, each minute.
const RECORDED: usize = 50;

/// What becomes of one key.
enum Turn {
    Done,
    /// There was nothing to do: another node or a caller was faster, or the region's KMS isn't used here.
    Skipped,
    /// The lease is another's by now.
    Lost,
}

impl Engine {
    /// Rotates the keys that are due for it, of all organisations and regions. To be called now and then, about every minute: a key that
    /// could not be rotated is due in the next round too. Does nothing while another node is at it. Gives how many were rotated.
    ///
    /// # Errors
    /// Those of the store; and, when every other key was seen to, that some could not be rotated, with the cause of the first.
    pub async fn rotate_due_keys(&self) -> Result<u32, Error> {
        self.see_to(KeyDue::Rotation).await
    }

    /// Removes the keys whose date came an hour ago after their deletion: first their KMS erases their material, then the store the keys. To be
    /// called now and then, about every minute. Does nothing while another node is at it. Gives how many were removed.
    ///
    /// # Errors
    /// As for [`rotate_due_keys`](Self::rotate_due_keys).
    pub async fn purge_due_keys(&self) -> Result<u32, Error> {
        self.see_to(KeyDue::Purge).await
    }

    async fn see_to(&self, due: KeyDue) -> Result<u32, Error> {
        let ttl = LeaseTtl::new(TTL).unwrap_or(LeaseTtl::MAX);
        let name = match due {
            KeyDue::Rotation => LeaseName::KeyRotation,
            KeyDue::Purge => LeaseName::KeyPurge,
        };
        // Mostly there is nothing to do, and then no lease is written.
        if self.ports.keys.due(due, due_at(due, self.ports.clock.now()), 1).await?.is_empty() {
            return Ok(0);
        }
        // Of this round only, so that two rounds on one node keep apart as well.
        let Some(lease) = self.ports.leases.acquire(name, self.ports.ids.next(), ttl).await? else { return Ok(0) };
        let mut round =
            Round { engine: self, due, lease, ttl, done: 0, passed: HashSet::new(), failed: Failed::default() };
        let ended = round.run().await;
        // Where it can't be released, it ends by itself.
        let _ = self.ports.leases.release(&round.lease).await;
        ended?;
        match round.failed.first {
            None => Ok(round.done),
            Some(first) => Err(Error::new(
                first.code(),
                format!("{} keys for which {} is due could not be seen to.", round.failed.count, what(due)),
            )
            .because(first)),
        }
    }
}

/// The date up to which something is due at `now`.
const fn due_at(due: KeyDue, now: Timestamp) -> Timestamp {
    match due {
        KeyDue::Rotation => now,
        KeyDue::Purge => now.plus_seconds(-GRACE_SECONDS),
    }
}

const fn what(due: KeyDue) -> &'static str {
    match due {
        KeyDue::Rotation => "a rotation",
        KeyDue::Purge => "the purge",
    }
}

#[derive(Default)]
struct Failed {
    count: usize,
    first: Option<Error>,
    /// Regions whose KMS is out of reach: the other keys there would only wait for it too.
    regions: HashSet<RegionId>,
}

/// One round under one lease.
struct Round<'a> {
    engine: &'a Engine,
    due: KeyDue,
    lease: Lease,
    ttl: LeaseTtl,
    done: u32,
    /// The keys that stay due.
    passed: HashSet<KeyId>,
    failed: Failed,
}

impl Round<'_> {
    async fn run(&mut self) -> Result<(), Error> {
        let mut at_once = READ_AT_ONCE;
        while self.done < A_ROUND && self.passed.len() < MAX_PASSED {
            let at = due_at(self.due, self.engine.ports.clock.now());
            let due = self.engine.ports.keys.due(self.due, at, at_once).await?;
            let fresh: Vec<_> = due.into_iter().filter(|key| !self.passed.contains(&key.spec.id)).collect();
            if fresh.is_empty() {
                let read_all = (self.passed.len() as u64) < u64::from(at_once);
                if read_all {
                    return Ok(());
                }
                // Those that stay due come first each time, and must not hide the others.
                at_once = at_once.saturating_mul(2);
                continue;
            }
            for key in fresh {
                if self.done >= A_ROUND || !self.turn(&key).await? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// `false` when the lease is lost.
    async fn turn(&mut self, key: &Key) -> Result<bool, Error> {
        let (id, region) = (key.spec.id, key.spec.scope.region);
        if self.failed.regions.contains(&region) {
            self.passed.insert(id);
            return Ok(true);
        }
        if !self.renew().await? {
            return Ok(false);
        }
        let turn = match self.due {
            KeyDue::Rotation => self.rotate(id).await,
            KeyDue::Purge => self.purge(id).await,
        };
        match turn {
            Ok(Turn::Done) => self.done += 1,
            Ok(Turn::Skipped) => {
                self.passed.insert(id);
            }
            Ok(Turn::Lost) => return Ok(false),
            Err(error) if matches!(error.code(), Code::StoreUnavailable | Code::StorageFull) => return Err(error),
            Err(error) => {
                self.passed.insert(id);
                self.fail(key, error).await;
            }
        }
        Ok(true)
    }

    /// `false` when the lease is lost.
    async fn renew(&mut self) -> Result<bool, Error> {
        match self.engine.ports.leases.renew(&self.lease, self.ttl).await? {
            Renewal::Held(lease) => {
                self.lease = lease;
                Ok(true)
            }
            Renewal::Lost => Ok(false),
        }
    }

    /// Keeps what went wrong with one key, for the log of its organisation and for whoever runs the round.
    async fn fail(&mut self, key: &Key, error: Error) {
        let region = key.spec.scope.region;
        if error.code() == Code::KmsUnavailable
            && let Some(kms) = self.engine.ports.kms.get(&region)
            && kms.check().await.is_err()
        {
            self.failed.regions.insert(region);
        }
        self.failed.count += 1;
        if self.failed.count <= RECORDED {
            let record = AuditRecord {
                outcome: Outcome::Failure,
                status: error.code().status(),
                decided_by: Some(error.decider()),
                ..self.record(key, None, self.engine.ports.clock.now())
            };
            // Without room at once it is left out: the next round says it again.
            let _ = self.engine.log_within(Duration::ZERO, record).await;
        }
        self.failed.first.get_or_insert(error);
    }

    fn record(&self, key: &Key, version: Option<KeyVersionNumber>, at: Timestamp) -> AuditRecord {
        let scope = &key.spec.scope;
        AuditRecord {
            event: EventId::new(self.engine.ports.ids.next()),
            at,
            action: match self.due {
                KeyDue::Rotation => Action::KmsRotateScheduled,
                KeyDue::Purge => Action::KmsPurge,
            },
            outcome: Outcome::Success,
            status: 200,
            organisation: Some(scope.organisation),
            region: Some(scope.region),
            project: scope.project,
            principal: None,
            credential: None,
            resource: Some(audit::key(key.spec.id, version)),
            decided_by: None,
            request: None,
            details: Some(Box::new(super::details(key))),
        }
    }

    async fn rotate(&self, id: KeyId) -> Result<Turn, Error> {
        let engine = self.engine;
        let _turn = engine.queue(id).await;
        let at = engine.ports.clock.now();
        // As it is now: callers may have rotated it, or switched it off.
        let found = engine.ports.keys.get(id, Freshness::Latest).await?;
        let Some(key) = found.filter(|key| key.rotation_due_at().is_some_and(|due| due <= at)) else {
            return Ok(Turn::Skipped);
        };
        let region = key.spec.scope.region;
        let regions = engine.cache.regions(Freshness::Latest).await?;
        let Some(kms) = regions.iter().find(|it| it.id == region).and_then(|region| engine.kms(region).ok()) else {
            return Ok(Turn::Skipped);
        };
        let latest = super::rewrap::latest(&key)?;
        let sealing = engine.sealing();
        let number = latest.number.next();
        let handle = kms.rotate(&key.spec, latest, number).await?;
        let version = KeyVersion { number, handle: handle.clone(), created_at: at };
        let change = Change::AppendKeyVersion { key: id, version, state: key.touched(at) };
        let turn = self.commit(&key, change, sealing, Some(number), at).await;
        // Where it may have been stored, the material must stay; else it opens nothing, and what happened matters more.
        let may_be_stored = match &turn {
            Ok(Turn::Done) => true,
            Ok(Turn::Skipped | Turn::Lost) => false,
            Err(error) => error.code() == Code::OutcomeUnknown,
        };
        if !may_be_stored {
            let _ = kms.erase(&handle).await;
        }
        turn
    }

    async fn purge(&mut self, id: KeyId) -> Result<Turn, Error> {
        let engine = self.engine;
        let _turn = engine.queue(id).await;
        let at = engine.ports.clock.now();
        let found = engine.ports.keys.get(id, Freshness::Latest).await?;
        let Some(key) = found.filter(|key| key.is_purged(due_at(KeyDue::Purge, at))) else { return Ok(Turn::Skipped) };
        // Also while the region's KMS is switched off for callers.
        let kms: &Arc<dyn Kms> = engine.ports.kms.get(&key.spec.scope.region).ok_or_else(|| {
            Error::new(
                Code::KmsNotConfigured,
                "The region has no KMS on this server that could erase the key's material.",
            )
        })?;
        // Nobody can call the deletion off any more. As long as the key is there, the handles are known: a crash in between is repaired
        // by erasing again.
        for versions in key.versions.chunks(ERASED_AT_ONCE) {
            for version in versions {
                kms.erase(&version.handle).await?;
            }
            // A KMS over a network may take longer for all of them than a lease stands.
            if !self.renew().await? {
                return Ok(Turn::Lost);
            }
        }
        self.commit(&key, Change::DeleteKey { key: id }, None, None, at).await
    }

    async fn commit(
        &self,
        key: &Key,
        change: Change,
        sealing: Option<Expect>,
        version: Option<KeyVersionNumber>,
        at: Timestamp,
    ) -> Result<Turn, Error> {
        let lease = Expect::Lease(self.lease.name, self.lease.epoch);
        let expected = [Expect::Revision(AggregateId::Key(key.spec.id), key.state.revision), lease.clone()];
        let unit = Unit {
            expect: expected.into_iter().chain(sealing).collect(),
            changes: vec![change],
            records: vec![self.record(key, version, at)],
        };
        let committed = self.engine.ports.committer.commit(unit).await;
        self.engine.cache.forget_key(key.spec.id);
        match committed {
            Ok(()) => Ok(Turn::Done),
            Err(error) => match error.kind() {
                CommitErrorKind::Conflict(expect) if *expect == lease => Ok(Turn::Lost),
                // The next round begins anew, with the root key of then.
                CommitErrorKind::Conflict(_) => self.engine.follow_root_key(error.kind()).await.map(|()| Turn::Skipped),
                _ => Err(error.into()),
            },
        }
    }
}
