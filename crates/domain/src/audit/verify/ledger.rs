use super::{Finding, FindingKind};
use crate::audit::{AuditKey, ChainHash, ChainState, Checkpoint, SignedCheckpoint};
use crate::id::StreamId;
use crate::port::{SignatureVerifier, StoredCheckpoint};
use std::collections::{BTreeMap, HashMap};

/// How many of a stream's announced begins are kept: removals that go on while somebody reads have gone by one or two of them.
const BEGINS: usize = 16;

/// The keys that checkpoints made known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownKeys(BTreeMap<u32, [u8; 32]>);

impl KnownKeys {
    /// The public key of this version.
    #[must_use]
    pub fn get(&self, version: u32) -> Option<&[u8; 32]> {
        self.0.get(&version)
    }

    /// The newest version; 0 when there is none.
    #[must_use]
    pub fn newest(&self) -> u32 {
        self.0.last_key_value().map_or(0, |(version, _)| *version)
    }

    /// All, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = AuditKey> + '_ {
        self.0.iter().map(|(version, public)| AuditKey { version: *version, public: *public })
    }

    /// Learns a key.
    pub fn learn(&mut self, key: AuditKey) {
        self.0.insert(key.version, key.public);
    }
}

/// What the checkpoints tell, and whether they are sound: each follows from the one before and is signed by the newest key that was known
/// before it. What an unsound one tells counts for nothing.
#[derive(Clone, Debug)]
pub struct Ledger {
    number: u64,
    /// Of the last; `None` after one that was not sound, of which nobody knows what it was.
    last: Option<ChainHash>,
    keys: KnownKeys,
    trusted: Option<[u8; 32]>,
    /// The last few of each stream, in order.
    begins: HashMap<StreamId, Vec<ChainState>>,
    ends: HashMap<StreamId, ChainState>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            number: 0,
            last: Some([0; 32]),
            keys: KnownKeys::default(),
            trusted: None,
            begins: HashMap::new(),
            ends: HashMap::new(),
        }
    }
}

impl Ledger {
    /// Before the first checkpoint. Whoever made the first key known is believed: so that key is to be compared with one that is trusted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`new`](Self::new), with the first key, which is trusted.
    #[must_use]
    pub fn trusting(public: [u8; 32]) -> Self {
        Self { trusted: Some(public), ..Self::default() }
    }

    /// The number of the last checkpoint; 0 before the first.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The keys that are known.
    #[must_use]
    pub const fn keys(&self) -> &KnownKeys {
        &self.keys
    }

    /// Makes a key known that no checkpoint tells of: for a log without checkpoints.
    pub fn believe(&mut self, key: AuditKey) {
        self.keys.learn(key);
    }

    /// After which record the stream begins.
    #[must_use]
    pub fn begin_of(&self, stream: StreamId) -> Option<&ChainState> {
        self.begins.get(&stream)?.last()
    }

    /// What was before the record of this stream after this sequence, where the stream began with that one once: by itself, or since a
    /// checkpoint said so, of which the last few are known.
    #[must_use]
    pub fn begin_at(&self, stream: StreamId, sequence: u64) -> Option<ChainState> {
        if sequence == 0 {
            return Some(ChainState::begin(stream));
        }
        self.begins.get(&stream)?.iter().find(|begin| begin.sequence == sequence).copied()
    }

    /// How far the stream is known to have come.
    #[must_use]
    pub fn end_of(&self, stream: StreamId) -> Option<&ChainState> {
        self.ends.get(&stream)
    }

    /// How many records there are at least.
    #[must_use]
    pub fn records(&self) -> u64 {
        let begin = |stream| self.begin_of(stream).map_or(0, |begin| begin.sequence);
        self.ends.values().map(|end| end.sequence.saturating_sub(begin(end.stream))).sum()
    }

    /// Streams that the checkpoints tell of, some records of which are to be there.
    pub fn streams(&self) -> impl Iterator<Item = StreamId> + '_ {
        let is_removed = |end: &&ChainState| self.begin_of(end.stream).is_some_and(|it| it.sequence >= end.sequence);
        self.ends.values().filter(move |end| !is_removed(end)).map(|end| end.stream)
    }

    /// Takes the next checkpoint: gives it when it is sound, and what is wrong.
    pub fn take(
        &mut self,
        stored: &StoredCheckpoint,
        verifier: &dyn SignatureVerifier,
    ) -> (Option<Checkpoint>, Option<Finding>) {
        let mut finding = None;
        if stored.number > self.number + 1 {
            finding = Some(Finding::at_checkpoint(FindingKind::CheckpointMissing, self.number + 1));
            self.last = None;
        } else if stored.number <= self.number {
            let finding = Finding::at_checkpoint(FindingKind::CheckpointUnchained, stored.number);
            return (None, Some(finding));
        }
        self.number = stored.number;
        match self.sound(stored, verifier) {
            Ok(checkpoint) => {
                self.last = Some(stored.hash());
                self.learn(&checkpoint);
                (Some(checkpoint), finding)
            }
            Err(kind) => {
                // After one that is missing or unsound, a key may have been made known that nobody knows of: that was told already.
                let is_told = self.last.is_none() && kind == FindingKind::CheckpointKey;
                self.last = None;
                (None, finding.or((!is_told).then(|| Finding::at_checkpoint(kind, stored.number))))
            }
        }
    }

    fn sound(&self, stored: &StoredCheckpoint, verifier: &dyn SignatureVerifier) -> Result<Checkpoint, FindingKind> {
        let SignedCheckpoint { checkpoint, signature } = stored.read().ok_or(FindingKind::CheckpointChanged)?;
        let is_first = checkpoint.number == 1 && self.keys.newest() == 0;
        let signer = if is_first {
            // The first makes its own key known.
            checkpoint.keys.first().copied().filter(|key| key.version == signature.key_version)
        } else {
            let version = self.keys.newest();
            let public = self.keys.get(version).filter(|_| version == signature.key_version);
            public.map(|public| AuditKey { version, public: *public })
        };
        let signer = signer.ok_or(FindingKind::CheckpointKey)?;
        if !verifier.verify(&signer.public, &checkpoint.signed_bytes(), &signature.bytes) {
            return Err(FindingKind::CheckpointChanged);
        }
        if is_first && self.trusted.is_some_and(|trusted| trusted != signer.public) {
            return Err(FindingKind::KeyUntrusted);
        }
        if self.last.is_some_and(|last| last != checkpoint.previous) {
            return Err(FindingKind::CheckpointUnchained);
        }
        let mut newest = self.keys.newest();
        for key in &checkpoint.keys {
            if key.version <= newest {
                return Err(FindingKind::CheckpointKeys);
            }
            newest = key.version;
        }
        if checkpoint.newest_key == newest { Ok(checkpoint) } else { Err(FindingKind::CheckpointKeys) }
    }

    fn learn(&mut self, checkpoint: &Checkpoint) {
        for key in &checkpoint.keys {
            self.keys.learn(*key);
        }
        for state in &checkpoint.ends {
            let furthest = self.ends.entry(state.stream).or_insert(*state);
            if state.sequence > furthest.sequence {
                *furthest = *state;
            }
        }
        for state in &checkpoint.begins {
            let known = self.begins.entry(state.stream).or_default();
            if known.last().is_none_or(|furthest| state.sequence > furthest.sequence) {
                if known.len() >= BEGINS {
                    known.remove(0);
                }
                known.push(*state);
            }
        }
    }
}

/// Whether the log has this very checkpoint, which was kept elsewhere; `found`: what the log has under its number.
#[must_use]
pub fn check_anchor(anchor: &StoredCheckpoint, found: Option<&StoredCheckpoint>) -> Option<Finding> {
    match found {
        Some(found) if found == anchor => None,
        Some(_) => Some(Finding::at_checkpoint(FindingKind::AnchorDiffers, anchor.number)),
        None => Some(Finding::at_checkpoint(FindingKind::AnchorMissing, anchor.number)),
    }
}
