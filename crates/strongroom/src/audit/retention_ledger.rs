//! What checkpoints say, for retention: each is read once by an engine, and verified.

use super::keys::unsealed;
use crate::engine::{AuditKeyPorts, Engine};
use crate::error::{Code, Error};
use async_lock::Mutex;
use strongroom_domain::audit::Ledger;
use strongroom_domain::time::Timestamp;

/// How many checkpoints are read at once.
const CHECKPOINTS: u32 = 500;
/// After how much time without a checkpoint none of it counts as time that servers ran: they write one each hour. In microseconds, as all below.
const NOBODY_RAN: u64 = 6 * AN_HOUR;
/// How many times as fast as servers ran the time that is believed comes to that of the checkpoints.
const CATCHES_UP: u64 = 10;
/// How much time lies between the checkpoints of a log, at the most, while its time is that of its checkpoints.
const YOUNG: u64 = 24 * AN_HOUR;
/// By how much both are apart when that is told.
const LAGS: u64 = 24 * AN_HOUR;
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
    /// What time it is, as far as servers ran for long enough.
    believed: Timestamp,
    /// How many microseconds lie between the checkpoints, together; a clock that is set back takes none away.
    age: u64,
    /// Whether the first key is the installation's own; it leads to all others.
    is_ours: bool,
}

impl Default for Known {
    fn default() -> Self {
        Self { ledger: Ledger::new(), at: Timestamp::EPOCH, believed: Timestamp::EPOCH, age: 0, is_ours: false }
    }
}

/// More time has gone by between checkpoints than servers ran: nobody ran one, or the clock was set ahead. Which of both, nothing tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockJump {
    /// The time that is believed so far.
    pub from: Timestamp,
    /// The time of the last checkpoint.
    pub to: Timestamp,
}

impl Known {
    /// Takes the time of the next checkpoint.
    fn made_at(&mut self, at: Timestamp) {
        let since = at.micros_since(core::mem::replace(&mut self.at, at));
        let since = if self.ledger.number() > 1 { since } else { 0 };
        let served = if since < NOBODY_RAN { since.min(AN_HOUR) } else { 0 };
        let step = served.saturating_mul(CATCHES_UP);
        let before = self.age;
        self.age = before.saturating_add(since);
        self.believed = if before < YOUNG {
            // What there was before has less than a day to lose, and a clock that was wrong at first is mostly set right by then. Time when
            // no server ran counts as well: else a log that is served for some minutes a day would be young for months.
            at
        } else if at >= self.believed {
            at.min(later(self.believed, step))
        } else {
            at.max(Timestamp::from_micros(self.believed.as_micros().saturating_sub_unsigned(step)))
        };
    }

    /// What time it is at the most: a clock that jumped ahead makes little old before somebody can see to it. With the jump, while that is
    /// not believed.
    pub(super) fn time(&self, clock: Timestamp) -> (Timestamp, Option<ClockJump>) {
        let now = clock.min(later(self.at, SINCE_CHECKPOINT)).min(later(self.believed, SINCE_CHECKPOINT));
        let jump = ClockJump { from: self.believed, to: self.at };
        let apart = self.at.micros_since(self.believed).max(self.believed.micros_since(self.at));
        (now, Some(jump).filter(|_| apart >= LAGS))
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
