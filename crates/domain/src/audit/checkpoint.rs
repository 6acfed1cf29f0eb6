//! Checkpoints: how far all streams had come, signed, each chained to the one before.

use super::{ChainHash, ChainState, Signature};
use crate::canonical::{DecodeError, Decoder, Encoder};
use crate::id::StreamId;
use crate::time::Timestamp;
use sha2::{Digest, Sha256};

const PURPOSE: &str = "strongroom audit checkpoint";
const VERSION: u8 = 1;

/// The public part of a key that signs the log: Ed25519 (RFC 8032).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditKey {
    /// Its version: from 1, higher for each later key.
    pub version: u32,
    /// The public key, 32 bytes.
    pub public: [u8; 32],
}

/// What the log had become at a time: shows later which streams there were and how far they had come. Kept elsewhere, it is an anchor
/// that shows truncation and a log that was set back.
///
/// A key signs the log only once a checkpoint made it known; the first checkpoint makes the first key known, and each later key is made
/// known by a checkpoint under a key before it. So who trusts the first key can follow to the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// 1, 2, 3 … without gaps.
    pub number: u64,
    /// When it was made, by the clock of the node that made it.
    pub at: Timestamp,
    /// The hash of the checkpoint before; of the first, zeros.
    pub previous: ChainHash,
    /// Keys that are known from here on.
    pub keys: Vec<AuditKey>,
    /// The version of the newest key that is known with this checkpoint.
    pub newest_key: u32,
    /// Streams whose records up to there retention removes: each begins after that record from now on.
    pub begins: Vec<ChainState>,
    /// The streams that have moved since the checkpoint before, and how far they have come.
    pub ends: Vec<ChainState>,
}

impl Checkpoint {
    /// Its canonical bytes, which are hashed and stored.
    #[must_use]
    pub fn to_canonical(&self) -> Vec<u8> {
        let mut to = Encoder::new(PURPOSE, VERSION);
        to.number(self.number).number(self.at.as_micros().unsigned_abs()).bytes(&self.previous);
        to.number(self.keys.len() as u64);
        for key in &self.keys {
            to.number(u64::from(key.version)).bytes(&key.public);
        }
        to.number(u64::from(self.newest_key));
        for states in [&self.begins, &self.ends] {
            to.number(states.len() as u64);
            for state in states {
                to.id(state.stream.uuid()).number(state.sequence).bytes(&state.hash);
            }
        }
        to.finish()
    }

    /// Reads canonical bytes back.
    ///
    /// # Errors
    /// [`DecodeError`] when they aren't a checkpoint of format 1.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Decoder::new(bytes, PURPOSE, VERSION)?;
        let checkpoint = Self {
            number: from.number()?,
            at: Timestamp::from_micros(i64::try_from(from.number()?).map_err(|_| DecodeError)?),
            previous: fixed(&mut from)?,
            keys: list(&mut from, |from| Ok(AuditKey { version: small(from)?, public: fixed(from)? }))?,
            newest_key: small(&mut from)?,
            begins: list(&mut from, read_state)?,
            ends: list(&mut from, read_state)?,
        };
        from.finish()?;
        Ok(checkpoint)
    }

    /// SHA-256 of the canonical bytes.
    #[must_use]
    pub fn hash(&self) -> ChainHash {
        Sha256::digest(self.to_canonical()).into()
    }

    /// The bytes that its signature covers: its number and its hash, under a purpose of their own.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut to = Encoder::new("strongroom audit checkpoint signature", 1);
        to.number(self.number).bytes(&self.hash());
        to.finish()
    }
}

/// A checkpoint with its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// By a key that was known before it; the first by its own.
    pub signature: Signature,
}

fn fixed(from: &mut Decoder<'_>) -> Result<[u8; 32], DecodeError> {
    from.bytes()?.try_into().map_err(|_| DecodeError)
}

fn small(from: &mut Decoder<'_>) -> Result<u32, DecodeError> {
    u32::try_from(from.number()?).map_err(|_| DecodeError)
}

fn read_state(from: &mut Decoder<'_>) -> Result<ChainState, DecodeError> {
    Ok(ChainState { stream: StreamId::new(from.id()?), sequence: from.number()?, hash: fixed(from)? })
}

/// Grows with what is read, not with what a number says.
fn list<T>(
    from: &mut Decoder<'_>,
    read: impl Fn(&mut Decoder<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let count = from.number()?;
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(read(from)?);
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::{AuditKey, Checkpoint};
    use crate::audit::ChainState;
    use crate::id::StreamId;
    use crate::time::Timestamp;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn state() -> impl Strategy<Value = ChainState> {
        (any::<u128>(), any::<u64>(), any::<[u8; 32]>()).prop_map(|(id, sequence, hash)| ChainState {
            stream: StreamId::new(Uuid::from_u128(id)),
            sequence,
            hash,
        })
    }

    prop_compose! {
        fn checkpoint()(
            number: u64, at in 0i64..(1 << 50), previous: [u8; 32], keys in proptest::collection::vec(any::<(u32, [u8; 32])>(), 0..3),
            newest_key: u32, begins in proptest::collection::vec(state(), 0..4), ends in proptest::collection::vec(state(), 0..4),
        ) -> Checkpoint {
            let keys = keys.into_iter().map(|(version, public)| AuditKey { version, public }).collect();
            Checkpoint { number, at: Timestamp::from_micros(at), previous, keys, newest_key, begins, ends }
        }
    }

    proptest! {
        #[test]
        fn round_trips(checkpoint in checkpoint()) {
            prop_assert_eq!(Checkpoint::from_canonical(&checkpoint.to_canonical()), Ok(checkpoint));
        }

        #[test]
        fn a_cut_longer_or_other_text_is_refused_or_another(checkpoint in checkpoint(), place: prop::sample::Index, bit in 0u8..8) {
            let mut bytes = checkpoint.to_canonical();
            let place = place.index(bytes.len());
            prop_assert!(Checkpoint::from_canonical(&bytes[..place]).is_err());
            bytes[place] ^= 1 << bit;
            prop_assert_ne!(Checkpoint::from_canonical(&bytes), Ok(checkpoint));
        }
    }
}
