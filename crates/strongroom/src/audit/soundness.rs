//! Whether what lies in the store is what a key of the log signed, before anything is built on it.
//!
//! A key counts by what it opens to, never by the public part beside it: whoever can write to the store can write that.

use super::keys::{oldest_key, unsealed};
use crate::engine::{AuditKeyPorts, Engine};
use crate::error::{Code, Error};
use std::sync::{Mutex, PoisonError};
use strongroom_domain::audit::{
    Behind, ChainHash, ChainState, Checkpoint, Link, Signature, SignedCheckpoint, signed_bytes,
};
use strongroom_domain::id::StreamId;
use strongroom_domain::port::RootKeyError;
use strongroom_domain::root_key::SealedInstanceKey;

/// What was found sound before, so that a round costs nothing while nothing changes.
#[derive(Default)]
pub(crate) struct Sound(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Stored keys, and what they opened to.
    keys: Vec<(SealedInstanceKey, [u8; 32])>,
    /// The checkpoint that was looked at last.
    last: Option<(u64, ChainHash, Signature)>,
    /// The number and hash of the newest that was the log's last, and sound.
    newest: Option<(u64, ChainHash)>,
}

impl Engine {
    fn known<T>(&self, with: impl FnOnce(&mut Known) -> T) -> T {
        with(&mut self.checkpoint_lease.sound.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The newest checkpoint that this engine wrote, or saw as the last one. To be asked for before the last one is read.
    pub(super) fn newest_checkpoint_seen(&self) -> Option<(u64, ChainHash)> {
        self.known(|known| known.newest)
    }

    pub(super) fn saw_checkpoint(&self, number: u64, hash: ChainHash) {
        self.known(|known| {
            if known.newest.is_none_or(|(newest, _)| newest < number) {
                known.newest = Some((number, hash));
            }
        });
    }

    /// Refuses a last checkpoint behind which the one that was seen before is not there any more, or another one: nothing is to be
    /// signed over what somebody took away.
    pub(super) async fn leads_to(
        &self,
        seen: Option<(u64, ChainHash)>,
        last: &Checkpoint,
        hash: ChainHash,
    ) -> Result<(), Error> {
        let Some((number, seen)) = seen else { return Ok(()) };
        let is_there = match last.number.checked_sub(number) {
            None => false,
            Some(0) => hash == seen,
            Some(1) => last.previous == seen,
            Some(_) => {
                let stored = self.ports.audit.checkpoints(number.saturating_sub(1), 1).await?.into_iter().next();
                stored.is_some_and(|stored| stored.number == number && stored.hash() == seen)
            }
        };
        let text = || {
            format!(
                "Checkpoint {number} of the audit log, which was its last one, is gone or another one by now: the store was set back; verify the log, with an anchor if you have one."
            )
        };
        if is_there { Ok(()) } else { Err(Error::new(Code::Internal, text())) }
    }

    /// What the stored key of this version opens to.
    pub(super) fn opened_key(
        &self,
        ports: &AuditKeyPorts,
        stored: &[SealedInstanceKey],
        version: u32,
    ) -> Result<Option<[u8; 32]>, Error> {
        let Some(key) = stored.iter().find(|key| key.version == version) else { return Ok(None) };
        let opened = self.known(|known| known.keys.iter().find(|(it, _)| it == key).map(|(_, public)| *public));
        if opened.is_some() {
            return Ok(opened);
        }
        let public = match ports.keys.public_of(key) {
            Ok(public) => public,
            // Not kept: another root key may come.
            Err(RootKeyError::NotAuthentic) => return Ok(None),
            Err(error) => return Err(unsealed(error)),
        };
        self.known(|known| {
            known.keys.retain(|(it, _)| it.version != key.version);
            known.keys.push((key.clone(), public));
        });
        Ok(Some(public))
    }

    /// Refuses a checkpoint that is not what a key of the log signed. The one that was looked at last costs nothing.
    pub(super) fn check_checkpoint(
        &self,
        ports: &AuditKeyPorts,
        stored: &[SealedInstanceKey],
        signed: &SignedCheckpoint,
        hash: ChainHash,
    ) -> Result<(), Error> {
        let SignedCheckpoint { checkpoint, signature } = signed;
        let this = Some((checkpoint.number, hash, *signature));
        if self.known(|known| known.last == this) {
            return Ok(());
        }
        let public = match may_sign(checkpoint, signature.key_version) {
            true => self.opened_key(ports, stored, signature.key_version)?,
            false => None,
        };
        let bytes = checkpoint.signed_bytes();
        if !public.is_some_and(|public| ports.verifier.verify(&public, &bytes, &signature.bytes)) {
            return Err(damaged(checkpoint.number));
        }
        self.known(|known| known.last = this);
        Ok(())
    }

    /// As [`AuditReader::links`](strongroom_domain::port::AuditReader::links), without what stands before the first record: no writer put it
    /// there, and it takes no record's place. For all that don't verify the stream.
    pub(super) async fn links_after(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<Link>, Error> {
        let room = limit.saturating_add(u32::from(after == 0));
        let mut links = self.ports.audit.links(stream, after, room).await?;
        links.retain(|link| link.sequence > after);
        links.truncate(limit as usize);
        Ok(links)
    }

    /// How far a stream has come; `None` when its last record is not what its writer signed, with a key up to the newest that is known.
    pub(super) async fn sound_end(
        &self,
        ports: &AuditKeyPorts,
        stored: &[SealedInstanceKey],
        newest_key: u32,
        Behind { stream, end, .. }: Behind,
    ) -> Result<Option<ChainState>, Error> {
        let link = self.links_after(stream, end.saturating_sub(1), 1).await?.into_iter().next();
        let end = ChainState { sequence: end, ..ChainState::begin(stream) };
        let Some((state, signature)) = link.and_then(|link| signed_end(&link, end)) else { return Ok(None) };
        let bytes = signed_bytes(state.stream, state.sequence, &state.hash);
        // Before the first checkpoint the oldest signs.
        let newest = oldest_key(stored).map_or(0, |key| key.version).max(newest_key);
        let public = match signature.key_version <= newest {
            true => self.opened_key(ports, stored, signature.key_version)?,
            false => None,
        };
        let sound = public.is_some_and(|public| ports.verifier.verify(&public, &bytes, &signature.bytes));
        Ok(sound.then_some(state))
    }
}

/// A checkpoint of this number that is not what was signed.
pub(super) fn damaged(number: u64) -> Error {
    Error::new(Code::Internal, format!("Checkpoint {number} of the audit log is not what was signed; verify the log."))
}

/// Whether this version is the newest known before the checkpoint, as far as that shows in the checkpoint itself.
pub(super) fn may_sign(checkpoint: &Checkpoint, version: u32) -> bool {
    match checkpoint.keys.first() {
        None => version == checkpoint.newest_key,
        // The first makes its own key known.
        Some(first) if checkpoint.number == 1 => version == first.version,
        Some(first) => version < first.version,
    }
}

/// The end that a link is, and its signature, as far as they have the right form.
fn signed_end(link: &Link, end: ChainState) -> Option<(ChainState, Signature)> {
    let hash = link.hash.as_slice().try_into().ok()?;
    let signature = Signature::try_from(link.signature.clone()?).ok()?;
    (link.sequence == end.sequence).then_some((ChainState { hash, ..end }, signature))
}
