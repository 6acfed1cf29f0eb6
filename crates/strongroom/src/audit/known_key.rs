//! Which keys of the log checkpoints made known: at a start, before there is an engine, and of keys that don't open.

use super::keys::unsealed;
use super::soundness::{damaged, may_sign};
use crate::engine::{AuditKeyPorts, Engine};
use crate::error::{Code, Error};
use strongroom_domain::audit::Checkpoint;
use strongroom_domain::port::{AuditKeys, AuditReader, RootKeyError, SignatureVerifier, StoredCheckpoint};
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey};

/// How many checkpoints before the last one are looked at for one that holds.
const LOOKED_AT: u32 = 2_000;
const READ_AT_ONCE: u32 = 100;

/// What the checkpoints of a store say of the keys that sign its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownAuditKey {
    /// The newest that they made known; `None` before the first, and where none of the last ones is what was signed.
    pub newest: Option<u32>,
    /// The number of the last checkpoint, when that one is not what was signed: the log is to be verified. What is `newest` comes from one
    /// before it.
    pub damaged: Option<u64>,
}

/// Looks which key is to sign the log, at a start: as the last checkpoint says that one of these keys signed. An altered one is passed over,
/// so that whoever can write to the store doesn't decide with which key is signed, nor whether a server starts.
///
/// # Errors
/// Those of the store, and [`Code::KmsUnavailable`] when the keys can't be opened right now.
pub async fn known_audit_key(
    audit: &dyn AuditReader,
    keys: &dyn AuditKeys,
    verifier: &dyn SignatureVerifier,
    stored: &[SealedInstanceKey],
) -> Result<KnownAuditKey, Error> {
    let Some(last) = audit.last_checkpoint().await? else { return Ok(KnownAuditKey { newest: None, damaged: None }) };
    if let Some(newest) = newest_of(&last, keys, verifier, stored)? {
        return Ok(KnownAuditKey { newest: Some(newest), damaged: None });
    }
    let damaged = Some(last.number);
    // By what there is, not by number: one that was planted far ahead would have nothing before it.
    let mut before = last.number;
    for _ in 0..LOOKED_AT / READ_AT_ONCE {
        let page = audit.checkpoints_before(before, READ_AT_ONCE).await?;
        for earlier in &page {
            if let newest @ Some(_) = newest_of(earlier, keys, verifier, stored)? {
                return Ok(KnownAuditKey { newest, damaged });
            }
        }
        match page.last() {
            Some(last) => before = last.number,
            None => break,
        }
    }
    let newest =
        newest_before(before, audit, |stored_checkpoint| newest_of(stored_checkpoint, keys, verifier, stored)).await?;
    Ok(KnownAuditKey { newest, damaged })
}

/// What the last sound checkpoint before this number says, as far as there are sound ones all along up to it, and none after it: of many, few
/// are read, and where one that is looked at is unsound, those next to it. So a key that opens no more leads to the checkpoint that made it known, and is missed, instead of an older one being taken.
async fn newest_before(
    before: u64,
    audit: &dyn AuditReader,
    newest_of: impl Fn(&StoredCheckpoint) -> Result<Option<u32>, Error>,
) -> Result<Option<u32>, Error> {
    let (mut sound, mut unsound, mut newest) = (0, before, None);
    while unsound - sound > 1 {
        let middle = sound + (unsound - sound) / 2;
        let mut is_sound = false;
        // One that does not hold says nothing of those after it.
        for found in audit.checkpoints(middle - 1, READ_AT_ONCE).await? {
            let known = if found.number < unsound { newest_of(&found)? } else { None };
            if known.is_some() {
                (sound, newest, is_sound) = (found.number, known, true);
                break;
            }
        }
        if !is_sound {
            unsound = middle;
        }
    }
    Ok(newest)
}

/// The newest key that is known with this checkpoint; `None` when it is not what a key of the log signed.
fn newest_of(
    checkpoint: &StoredCheckpoint,
    keys: &dyn AuditKeys,
    verifier: &dyn SignatureVerifier,
    stored: &[SealedInstanceKey],
) -> Result<Option<u32>, Error> {
    let Some(signed) = checkpoint.read() else { return Ok(None) };
    let (checkpoint, signature) = (signed.checkpoint, signed.signature);
    let version = signature.key_version;
    let key = stored.iter().find(|key| key.purpose == InstanceKeyPurpose::AuditSigning && key.version == version);
    let Some(key) = key.filter(|_| may_sign(&checkpoint, version)) else { return Ok(None) };
    let public = match keys.public_of(key) {
        Ok(public) => public,
        Err(RootKeyError::NotAuthentic) => return Ok(None),
        Err(error) => return Err(unsealed(error)),
    };
    let holds = verifier.verify(&public, &checkpoint.signed_bytes(), &signature.bytes);
    Ok(holds.then_some(checkpoint.newest_key))
}

impl Engine {
    /// Whether somebody slipped this key in beside those of the log: it opens under no root key of this node, and no checkpoint made it
    /// known. It signs nothing, and nothing waits for it.
    async fn is_slipped_in(&self, key: &SealedInstanceKey) -> Result<bool, Error> {
        let Some(ports) = &self.ports.audit_keys else { return Ok(false) };
        if key.purpose != InstanceKeyPurpose::AuditSigning {
            return Ok(false);
        }
        match ports.keys.public_of(key) {
            Err(RootKeyError::NotAuthentic) => Ok(!self.is_made_known(ports, key.version).await?),
            _ => Ok(false),
        }
    }

    /// Whether this keeps a key from being opened because somebody slipped it in. Where it can't be told, that is an error of this key alone:
    /// the others go on.
    pub(crate) async fn passes_over(&self, key: &SealedInstanceKey, error: &RootKeyError) -> Result<bool, Error> {
        Ok(matches!(error, RootKeyError::NotAuthentic) && self.is_slipped_in(key).await?)
    }

    /// Whether a checkpoint made the key of this version known. The newest that is known only rises from checkpoint to checkpoint, so few
    /// of them are read.
    async fn is_made_known(&self, ports: &AuditKeyPorts, version: u32) -> Result<bool, Error> {
        let (last, keys) = self.last_checkpoint(ports).await?;
        if last.number == 0 {
            // Before the first checkpoint the oldest signs.
            return Ok(version == ports.keys.current());
        }
        if version > last.newest_key {
            return Ok(false);
        }
        // The first with which it, or a newer one, is known: after `before`, and `at` at the latest.
        let (mut before, mut at) = (0, last.number);
        while at - before > 1 {
            let middle = before + (at - before) / 2;
            if self.sound_checkpoint(ports, &keys, middle).await?.newest_key >= version {
                at = middle;
            } else {
                before = middle;
            }
        }
        let first = self.sound_checkpoint(ports, &keys, at).await?;
        Ok(first.keys.iter().any(|key| key.version == version))
    }

    /// The checkpoint of this number, which is what was signed.
    async fn sound_checkpoint(
        &self,
        ports: &AuditKeyPorts,
        keys: &[SealedInstanceKey],
        number: u64,
    ) -> Result<Checkpoint, Error> {
        let stored = self.ports.audit.checkpoints(number - 1, 1).await?.into_iter().next();
        let signed = stored.filter(|it| it.number == number).and_then(|it| it.read());
        let signed = signed.ok_or_else(|| damaged(number))?;
        self.check_checkpoint(ports, keys, &signed, signed.checkpoint.hash())?;
        Ok(signed.checkpoint)
    }

    /// The version of the next key: after all that are the installation's own. One that somebody slipped in takes up its own version, and
    /// nothing else.
    pub(super) fn next_audit_key_version(
        &self,
        ports: &AuditKeyPorts,
        stored: &[SealedInstanceKey],
    ) -> Result<u32, Error> {
        let mut newest = ports.keys.current();
        for key in stored {
            match ports.keys.public_of(key) {
                Ok(_) => newest = newest.max(key.version),
                Err(RootKeyError::NotAuthentic) => {}
                Err(error) => return Err(unsealed(error)),
            }
        }
        let next = newest.checked_add(1).and_then(|first| {
            let is_free = |version: &u32| stored.iter().all(|key| key.version != *version);
            (first..=u32::MAX).find(is_free)
        });
        next.ok_or_else(|| Error::new(Code::Internal, "The audit log's keys have no version left; verify the log."))
    }
}
