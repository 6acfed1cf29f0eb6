use super::{A_PAGE, VerifyPhase, Work};
use crate::audit::keys::{oldest_key, unsealed};
use crate::error::{Code, Error};
use std::sync::{Mutex, PoisonError};
use strongroom_domain::audit::{AuditKey, Finding, FindingKind, Ledger};
use strongroom_domain::port::RootKeyError;
use strongroom_domain::time::Timestamp;
use uuid::Uuid;

/// How many verifications go on at once: what is kept of one, so that it doesn't read all checkpoints for each step, may be large.
const KEPT: usize = 4;
/// For how many microseconds after a step its verification goes on: as long a step waits at the most.
const GOES_ON: u64 = 60_000_000;

/// What the checkpoints told in the last step of a verification, of those that go on.
#[derive(Default)]
pub(crate) struct Ledgers(Mutex<Vec<Kept>>);

struct Kept {
    run: Uuid,
    since: Timestamp,
    /// `None` while a step has it.
    ledger: Option<Ledger>,
}

impl Ledgers {
    /// That of this verification, else one that is to be filled anew.
    ///
    /// # Errors
    /// [`Code::TooManyVerifications`] when there is none, and as many others go on as may.
    pub(super) fn take(&self, run: Uuid, now: Timestamp) -> Result<Ledger, Error> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.iter_mut().find(|it| it.run == run) {
            known.since = now;
            return Ok(known.ledger.take().unwrap_or_default());
        }
        // The clock may go back a little.
        kept.retain(|it| now.micros_since(it.since).max(it.since.micros_since(now)) < GOES_ON);
        if kept.len() >= KEPT {
            return Err(Error::new(
                Code::TooManyVerifications,
                format!("{KEPT} verifications of the audit log go on at this node; try again when one of them ended."),
            ));
        }
        kept.push(Kept { run, since: now, ledger: None });
        Ok(Ledger::new())
    }

    /// Keeps it for the next step; after the last one there is nothing to keep.
    pub(super) fn put_back(&self, run: Uuid, ledger: Option<Ledger>, now: Timestamp) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (kept.iter().position(|it| it.run == run), ledger) {
            (Some(at), Some(ledger)) => (kept[at].since, kept[at].ledger) = (now, Some(ledger)),
            (Some(at), None) => drop(kept.remove(at)),
            // Others have its place by now: the next step reads the checkpoints again.
            (None, _) => {}
        }
    }
}

impl Work<'_> {
    /// Takes the checkpoints that there are by now; whether those are all.
    pub(super) async fn extend_ledger(&mut self) -> Result<bool, Error> {
        self.look_again().await?;
        loop {
            let page = self.engine.ports.audit.checkpoints(self.ledger.number(), A_PAGE).await?;
            if self.cursor.phase == VerifyPhase::Checkpoints && !page.is_empty() {
                let last = self.engine.ports.audit.last_checkpoint().await?;
                self.cursor.total = last.map_or(0, |last| last.number);
            }
            for stored in &page {
                // What was read again, since it was not kept, was told before.
                let is_new = stored.number > self.cursor.reported;
                let hash = stored.hash();
                if stored.number == self.cursor.reported && hash != self.cursor.reported_hash {
                    self.set_back(stored.number);
                }
                let (_, finding) = self.ledger.take(stored, &*self.ports.verifier);
                if is_new {
                    self.findings.extend(finding);
                    self.cursor.reported = stored.number;
                }
                if stored.number == self.cursor.reported {
                    self.cursor.reported_hash = hash;
                }
                if is_new && self.cursor.phase == VerifyPhase::Checkpoints {
                    self.count(1);
                } else {
                    self.left = self.left.saturating_sub(1);
                }
            }
            if page.len() < A_PAGE as usize {
                break;
            }
            if self.is_over() {
                return Ok(false);
            }
        }
        if self.ledger.number() < self.cursor.reported {
            self.set_back(self.ledger.number() + 1);
            self.cursor.reported = self.ledger.number();
            self.cursor.reported_hash = [0; 32];
        }
        if self.ledger.number() == 0 {
            // Before the first checkpoint the oldest key signs.
            let keys = self.engine.stored_audit_keys().await?;
            if let Some(oldest) = oldest_key(&keys) {
                let public = self.ports.keys.public_of(oldest).map_err(unsealed)?;
                self.ledger.believe(AuditKey { version: oldest.version, public });
            }
        }
        Ok(true)
    }

    /// Forgets what earlier steps kept in memory when the store was set back since then: so that this is found, and told.
    async fn look_again(&mut self) -> Result<(), Error> {
        let last = self.cursor.reported;
        if last == 0 || self.ledger.number() < last {
            return Ok(());
        }
        let found = self.engine.ports.audit.checkpoints(last - 1, 1).await?.into_iter().next();
        if found.is_none_or(|found| found.number != last || found.hash() != self.cursor.reported_hash) {
            self.ledger = Ledger::new();
        }
        Ok(())
    }

    /// Notes that the log is not the one that earlier steps saw.
    fn set_back(&mut self, checkpoint: u64) {
        self.found(Finding::at_checkpoint(FindingKind::CheckpointsCutOff, checkpoint));
    }

    /// Whether the keys that checkpoints made known are those of the installation: sealed under its root key.
    pub(super) async fn check_keys(&mut self) -> Result<(), Error> {
        let stored = self.engine.stored_audit_keys().await?;
        for key in stored.iter().filter(|key| self.ledger.keys().get(key.version).is_none()) {
            if matches!(self.ports.keys.public_of(key), Err(RootKeyError::NotAuthentic)) {
                self.findings.push(Finding::of_all(FindingKind::KeySlippedIn));
            }
        }
        for known in self.ledger.keys().iter() {
            let opened = match stored.iter().find(|key| key.version == known.version) {
                Some(key) => match self.ports.keys.public_of(key) {
                    Ok(public) => Some(public),
                    Err(RootKeyError::NotAuthentic) => None,
                    Err(error) => return Err(unsealed(error)),
                },
                None => None,
            };
            if opened != Some(known.public) {
                self.findings.push(Finding::of_all(FindingKind::KeyForeign));
            }
        }
        Ok(())
    }
}
