use super::{Finding, FindingKind, Ledger};
use crate::audit::{AuditRecord, ChainHash, ChainState, Link, Signature, signed_bytes};
use crate::id::StreamId;
use crate::port::SignatureVerifier;

/// How far a stream was checked. Its parts can be kept, to go on later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamCheck {
    /// The last record that was taken; 0 before the first.
    pub through: ChainState,
    /// Whether the hash of that one is known. Else the next one's can't be told from it.
    pub is_linked: bool,
    /// The last record that a signature covers.
    pub signed: u64,
    /// The newest key that signed.
    pub key_version: u32,
    /// Up to which record those that were taken were announced to go, when they were taken; 0 when they were not.
    pub going: u64,
}

impl StreamCheck {
    /// Before the first record.
    #[must_use]
    pub fn begin(stream: StreamId) -> Self {
        Self { through: ChainState::begin(stream), is_linked: true, signed: 0, key_version: 0, going: 0 }
    }

    const fn finding(&self, kind: FindingKind, sequence: u64) -> Finding {
        Finding::at_record(kind, self.through.stream, sequence)
    }

    /// Forgets what was taken, since it was removed after that, as it was announced: then the stream begins elsewhere.
    pub fn restart(&mut self) {
        *self = Self { key_version: self.key_version, ..Self::begin(self.through.stream) };
    }

    /// Takes the next record that there is; gives what is wrong first, and goes on with what is there.
    ///
    /// Records that were announced to go are fine only as all that is left of a removal: from where the stream began once up to the record
    /// after which it is to begin, each following from the one before.
    pub fn take(&mut self, link: &Link, ledger: &Ledger, verifier: &dyn SignatureVerifier) -> Option<Finding> {
        let stream = self.through.stream;
        let expected = self.through.sequence + 1;
        if link.sequence < expected {
            return Some(self.finding(FindingKind::RecordMisplaced, link.sequence));
        }
        let removed = ledger.begin_of(stream).map_or(0, |begin| begin.sequence);
        let mut skipped = None;
        if link.sequence > expected {
            let begin = ledger.begin_at(stream, link.sequence - 1).filter(|begin| begin.sequence <= removed);
            skipped = if self.through.sequence < self.going {
                // The rest of a removal, and not all of it.
                Some(self.finding(FindingKind::RecordMissing, expected))
            } else if link.sequence > removed + 1 {
                Some(self.finding(FindingKind::RecordMissing, expected.max(removed + 1)))
            } else if begin.is_none() {
                // What stood here was removed, or goes with others that are not there.
                Some(self.finding(FindingKind::RecordChanged, link.sequence))
            } else {
                None
            };
            self.is_linked = begin.is_some();
            self.through = begin.unwrap_or(self.through);
            self.signed = self.signed.max(link.sequence - 1);
        }
        if link.sequence <= removed {
            self.going = removed;
        }
        let stored: Option<ChainHash> = link.hash.as_slice().try_into().ok();
        let is_whole = match stored {
            Some(stored) => !self.is_linked || self.through.after(&link.canonical).hash == stored,
            None => false,
        };
        self.through = ChainState { stream, sequence: link.sequence, hash: stored.unwrap_or_default() };
        self.is_linked = stored.is_some();
        let told =
            if is_whole { self.contents(link, ledger, verifier) } else { Some((FindingKind::RecordChanged, None)) };
        if link.signature.is_some() {
            self.signed = link.sequence;
        }
        skipped.or_else(|| told.map(|(kind, part)| Finding { part, ..self.finding(kind, link.sequence) }))
    }

    /// What is wrong with a record whose hash follows.
    fn contents(
        &mut self,
        link: &Link,
        ledger: &Ledger,
        verifier: &dyn SignatureVerifier,
    ) -> Option<(FindingKind, Option<&'static str>)> {
        let here = self.through;
        if AuditRecord::from_canonical(&link.canonical).is_err() {
            return Some((FindingKind::RecordUnreadable, None));
        }
        if link.differing.is_some() {
            return Some((FindingKind::ColumnDiffers, link.differing));
        }
        let marks = [ledger.begin_of(here.stream), ledger.end_of(here.stream)];
        if marks.into_iter().flatten().any(|mark| mark.sequence == here.sequence && mark.hash != here.hash) {
            return Some((FindingKind::CheckpointDiffers, None));
        }
        let (version, bytes) = link.signature.as_ref()?;
        let Some(public) = ledger.keys().get(*version) else { return Some((FindingKind::SignatureKeyUnknown, None)) };
        let signed = signed_bytes(here.stream, here.sequence, &here.hash);
        let holds = Signature::try_from((*version, bytes.clone()))
            .is_ok_and(|signature| verifier.verify(public, &signed, &signature.bytes));
        if !holds {
            return Some((FindingKind::SignatureInvalid, None));
        }
        if *version < self.key_version {
            return Some((FindingKind::SignatureKeyOlder, None));
        }
        self.key_version = *version;
        None
    }

    /// After the last record that there is.
    #[must_use]
    pub fn end(&self, ledger: &Ledger) -> Option<Finding> {
        let stream = self.through.stream;
        let removed = ledger.begin_of(stream).map_or(0, |begin| begin.sequence);
        let last = self.through.sequence.max(removed);
        if self.through.sequence < self.going {
            return Some(self.finding(FindingKind::RecordsCutOff, self.through.sequence + 1));
        }
        match ledger.end_of(stream) {
            Some(end) if end.sequence > last => Some(self.finding(FindingKind::RecordsCutOff, last + 1)),
            _ if self.signed < self.through.sequence => Some(self.finding(FindingKind::Unsigned, self.signed + 1)),
            _ => None,
        }
    }
}
