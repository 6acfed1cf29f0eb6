//! What checkpoints say, for retention: each is read once by an engine, and verified.

use super::keys::unsealed;
use crate::engine::{AuditKeyPorts, Engine};
use crate::error::{Code, Error};
use async_lock::Mutex;
use strongroom_domain::audit::Ledger;
use strongroom_domain::time::Timestamp;

/// How many checkpoints are read at once.
const CHECKPOINTS: u32 = 500;
/// How much later than the one before a checkpoint is when the clock may have jumped: servers write one each hour. In microseconds, as all below.
const A_JUMP: u64 = 6 * AN_HOUR;
/// How long checkpoints must have been made after a jump before its time is believed: somebody can see to the clock meanwhile.
const BELIEVED_AFTER: u64 = 24 * AN_HOUR;
/// How much later than the last checkpoint it can be.
const SINCE_CHECKPOINT: u64 = AN_HOUR;
const AN_HOUR: u64 = 60 * 60 * 1_000_000;

/// What this engine's retention knows of the checkpoints, kept from round to round so that it reads each once. Who has it is at work.
#[derive(Default)]
pub(crate) struct RetentionLedger(pub(super) Mutex<Known>);

pub(super) struct Known {
    pub(super) ledger: Ledger,
    /// When the last checkpoint was made.
    at: Timestamp,
    jump: Option<ClockJump>,
    /// For how many microseconds checkpoints were made since the jump.
    served: u64,
    /// Whether the first key is the installation's own; it leads to all others.
    is_ours: bool,
}

impl Default for Known {
    fn default() -> Self {
        Self { ledger: Ledger::new(), at: Timestamp::EPOCH, jump: None, served: 0, is_ours: false }
    }
}

/// Six hours or more without checkpoints: no server ran, or the clock was set ahead. Which of both, nothing tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockJump {
    /// The time of the last checkpoint before.
    pub from: Timestamp,
    /// The time of the first one after.
    pub to: Timestamp,
}

impl Known {
    /// Takes the time of the next checkpoint.
    fn made_at(&mut self, at: Timestamp) {
        let since = at.micros_since(core::mem::replace(&mut self.at, at));
        let before = at.as_micros().saturating_sub_unsigned(since);
        let is_jump = self.ledger.number() > 1 && since >= A_JUMP;
        self.jump = match self.jump {
            None if is_jump => {
                self.served = 0;
                Some(ClockJump { from: Timestamp::from_micros(before), to: at })
            }
            // Another one before the first was believed.
            Some(jump) if is_jump => Some(ClockJump { to: at, ..jump }),
            // The clock was set right.
            Some(jump) if at <= later(jump.from, self.served.saturating_add(A_JUMP)) => None,
            Some(jump) => {
                self.served = self.served.saturating_add(since);
                (self.served < BELIEVED_AFTER).then_some(jump)
            }
            None => None,
        };
    }

    /// What time it is at the most: a clock that jumped ahead makes nothing old before somebody had a day to see to it. With the jump that is
    /// not believed, where there is one.
    pub(super) fn time(&self, clock: Timestamp) -> (Timestamp, Option<ClockJump>) {
        let now = clock.min(later(self.at, SINCE_CHECKPOINT));
        let believed = |jump: ClockJump| later(jump.from, self.served.saturating_add(SINCE_CHECKPOINT));
        (self.jump.map_or(now, |jump| now.min(believed(jump))), self.jump)
    }
}

fn later(time: Timestamp, micros: u64) -> Timestamp {
    Timestamp::from_micros(time.as_micros().saturating_add_unsigned(micros))
}

impl Engine {
    /// Takes the checkpoints that are new.
    pub(super) async fn learn(&self, ports: &AuditKeyPorts, known: &mut Known) -> Result<(), Error> {
        let learned = self.learn_new(ports, known).await;
        if learned.is_err() {
            // After what is wrong, all of them are looked at again.
            *known = Known::default();
        }
        learned
    }

    async fn learn_new(&self, ports: &AuditKeyPorts, known: &mut Known) -> Result<(), Error> {
        let wrong = |what: &str| {
            Error::new(Code::Internal, format!("{what}, so nothing is removed from the audit log; verify the log."))
        };
        loop {
            let page = self.ports.audit.checkpoints(known.ledger.number(), CHECKPOINTS).await?;
            for stored in &page {
                match known.ledger.take(stored, &*ports.verifier) {
                    (Some(checkpoint), None) => known.made_at(checkpoint.at),
                    _ => return Err(wrong(&format!("Checkpoint {} does not hold", stored.number))),
                }
            }
            if page.len() < CHECKPOINTS as usize {
                break;
            }
        }
        let last = self.ports.audit.last_checkpoint().await?.map_or(0, |last| last.number);
        if last < known.ledger.number() {
            return Err(wrong("Checkpoints are gone"));
        }
        if let Some(first) = known.ledger.keys().iter().next().filter(|_| !known.is_ours) {
            let stored = self.stored_audit_keys().await?;
            let stored = stored.iter().find(|key| key.version == first.version);
            let public = stored.map(|key| ports.keys.public_of(key)).transpose().map_err(unsealed)?;
            if public != Some(first.public) {
                return Err(wrong("The checkpoints' key is not this installation's"));
            }
            known.is_ours = true;
        }
        Ok(())
    }
}
