use super::AuditRecord;
use crate::canonical::Encoder;
use crate::id::StreamId;
use sha2::{Digest, Sha256};

/// A link of the chain: SHA-256.
pub type ChainHash = [u8; 32];

/// An Ed25519 signature (RFC 8032) over [`signed_bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The version of the audit-signing key, from 1.
    pub key_version: u32,
    /// The signature, 64 bytes (R, then S).
    pub bytes: [u8; 64],
}

/// A record with its canonical bytes: made by whoever has the time, so that the one who appends need not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedRecord {
    record: AuditRecord,
    canonical: Vec<u8>,
}

impl From<AuditRecord> for EncodedRecord {
    fn from(record: AuditRecord) -> Self {
        let canonical = record.to_canonical();
        Self { record, canonical }
    }
}

/// A record at its place in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainedRecord {
    /// The stream.
    pub stream: StreamId,
    /// The place in it, from 1, without gaps.
    pub sequence: u64,
    /// SHA-256 of the hash before and the canonical bytes.
    pub hash: ChainHash,
    /// On the last record of each commit.
    pub signature: Option<Signature>,
    /// What is hashed.
    pub canonical: Vec<u8>,
    /// The record that the canonical bytes say.
    pub record: AuditRecord,
}

/// How far a stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainState {
    /// The stream.
    pub stream: StreamId,
    /// The sequence of its last record; 0 before the first.
    pub sequence: u64,
    /// The hash of its last record; before the first, a hash of the stream's id.
    pub hash: ChainHash,
}

impl ChainState {
    /// An empty stream: sequence 0, and for a hash one of the stream's id.
    #[must_use]
    pub fn begin(stream: StreamId) -> Self {
        let mut to = Encoder::new("strongroom audit stream", 1);
        to.id(stream.uuid());
        Self { stream, sequence: 0, hash: Sha256::digest(to.finish()).into() }
    }

    /// The stream after one more record with these canonical bytes.
    #[must_use]
    pub fn after(self, canonical: &[u8]) -> Self {
        let hash = Sha256::new().chain_update(self.hash).chain_update(canonical).finalize().into();
        Self { stream: self.stream, sequence: self.sequence + 1, hash }
    }

    /// Appends a record, unsigned: the writer signs the last of a commit.
    pub fn append(&mut self, encoded: EncodedRecord) -> ChainedRecord {
        let EncodedRecord { record, canonical } = encoded;
        *self = self.after(&canonical);
        ChainedRecord {
            stream: self.stream,
            sequence: self.sequence,
            hash: self.hash,
            signature: None,
            canonical,
            record,
        }
    }

    /// What is signed when this is the last record of a commit.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        signed_bytes(self.stream, self.sequence, &self.hash)
    }
}

/// What a signature covers: stream, sequence, hash.
#[must_use]
pub fn signed_bytes(stream: StreamId, sequence: u64, hash: &ChainHash) -> Vec<u8> {
    let mut to = Encoder::new("strongroom audit commit", 1);
    to.id(stream.uuid()).number(sequence).bytes(hash);
    to.finish()
}

#[cfg(test)]
mod tests {
    use super::ChainState;
    use crate::id::StreamId;
    use uuid::Uuid;

    #[test]
    fn every_change_shows_from_there_on() {
        let start = ChainState::begin(StreamId::new(Uuid::from_u128(1)));
        let honest = start.after(b"a").after(b"b").after(b"c");
        assert_eq!(honest.sequence, 3);
        for tampered in [
            start.after(b"x").after(b"b").after(b"c"),
            start.after(b"b").after(b"a").after(b"c"),
            start.after(b"a").after(b"c"),
            ChainState::begin(StreamId::new(Uuid::from_u128(2))).after(b"a").after(b"b").after(b"c"),
        ] {
            assert_ne!(tampered.hash, honest.hash);
        }
    }
}
