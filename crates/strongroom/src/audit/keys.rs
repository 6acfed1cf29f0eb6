//! The keys that sign the log, as the store has them.

use crate::engine::{AuditKeyPorts, Engine};
use crate::error::{Code, Error};
use strongroom_domain::audit::AuditKey;
use strongroom_domain::port::RootKeyError;
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey};

impl Engine {
    /// Signs from now on with the newest key that a checkpoint made known, whoever wrote it.
    pub(crate) async fn adopt_audit_keys(&self) -> Result<(), Error> {
        let Some(ports) = &self.ports.audit_keys else { return Ok(()) };
        let last = self.ports.audit.last_checkpoint().await?.and_then(|last| last.read());
        // Mostly there is no other key, and then nothing is to be verified.
        if last.is_none_or(|last| last.checkpoint.newest_key <= ports.keys.current()) {
            return Ok(());
        }
        let (last, keys) = self.last_checkpoint(ports).await?;
        ports.keys.adopt(&keys, last.newest_key).map_err(unsealed)
    }

    /// What signs the log.
    pub(crate) fn audit_keys(&self) -> Result<&AuditKeyPorts, Error> {
        self.ports.audit_keys.as_ref().ok_or_else(|| {
            Error::new(
                Code::UnsupportedOperation,
                "The audit log has no checkpoints here; the program around the engine keeps its keys.",
            )
        })
    }

    /// The keys that sign the log, or are to, oldest first.
    pub(crate) async fn stored_audit_keys(&self) -> Result<Vec<SealedInstanceKey>, Error> {
        let mut keys = self.ports.setup.instance_keys().await?;
        keys.retain(|key| key.purpose == InstanceKeyPurpose::AuditSigning);
        keys.sort_by_key(|key| key.version);
        Ok(keys)
    }
}

/// The keys that are not known yet, oldest first: those that open, since one that doesn't may have been slipped in.
pub(super) fn new_keys(ports: &AuditKeyPorts, stored: &[SealedInstanceKey], newest: u32) -> Vec<AuditKey> {
    let mut new = Vec::new();
    for key in stored.iter().filter(|key| key.version > newest) {
        match ports.keys.public_of(key) {
            Ok(public) => new.push(AuditKey { version: key.version, public }),
            Err(RootKeyError::NotAuthentic) => {}
            // What this node can't open now, it or another one may in the next round; keys only rise.
            Err(RootKeyError::Unavailable(_)) => break,
        }
    }
    new
}

/// The one of these keys, oldest first, that signs until a checkpoint makes others known. No key has version 0, so one that says so was
/// slipped in.
pub(super) fn oldest_key(stored: &[SealedInstanceKey]) -> Option<&SealedInstanceKey> {
    stored.iter().find(|key| key.version > 0)
}

/// What keeps a key of the log from being opened.
pub(crate) fn unsealed(error: RootKeyError) -> Error {
    match error {
        RootKeyError::Unavailable(_) => {
            Error::new(Code::KmsUnavailable, "The root key cannot be used right now; try again shortly.")
        }
        RootKeyError::NotAuthentic => {
            Error::new(Code::Internal, "A key of the audit log opens under no root key of this node; verify the log.")
        }
    }
    .because(error)
}
