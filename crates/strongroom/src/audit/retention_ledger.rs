//! What checkpoints say, for retention: each is read once by an engine, and verified.

use super::checkpoint::unsealed;
use crate::engine::{AuditKeyPorts, Engine};
use crate::error::{Code, Error};
use async_lock::Mutex;
use strongroom_domain::audit::Ledger;
use strongroom_domain::time::Timestamp;

/// How many checkpoints are read at once.
const CHECKPOINTS: u32 = 500;

/// What this engine's retention knows of the checkpoints, kept from round to round so that it reads each once. Who has it is at work.
#[derive(Default)]
pub(crate) struct RetentionLedger(pub(super) Mutex<Known>);

pub(super) struct Known {
    pub(super) ledger: Ledger,
    /// When the last checkpoint was made.
    pub(super) at: Timestamp,
    /// Whether the first key is the installation's own; it leads to all others.
    is_ours: bool,
}

impl Default for Known {
    fn default() -> Self {
        Self { ledger: Ledger::new(), at: Timestamp::EPOCH, is_ours: false }
    }
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
                    (Some(checkpoint), None) => known.at = checkpoint.at,
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
