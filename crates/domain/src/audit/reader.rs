//! Who reads the log's streams in order, and what is read.

use super::{AuditRecord, ChainedRecord, Signature};
use crate::id::StreamId;
use core::fmt;

/// Names a sink: where records are sent on to. 1 to 63 of `a` to `z`, `0` to `9` and `-`, beginning with a letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SinkName(String);

/// Not a sink's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sink's name has 1 to 63 of `a` to `z`, `0` to `9` and `-`, and begins with a letter")]
pub struct SinkNameError;

impl SinkName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`SinkNameError`].
    pub fn new(name: &str) -> Result<Self, SinkNameError> {
        let is_fine = name.len() <= 63
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if is_fine { Ok(Self(name.to_owned())) } else { Err(SinkNameError) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who takes the records of every stream in order, and keeps in the store how far it is with each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogReader {
    /// Makes the index.
    Index,
    /// Writes checkpoints: how far the last one of each stream tells.
    Checkpoints,
    /// Removes what is too old: how far each stream was removed.
    Retention,
    /// Sends records on.
    Sink(SinkName),
}

impl LogReader {
    /// The name under which stores keep how far it is: `index`, `checkpoints`, `retention`, or `sink:` and the sink's name.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Index => "index".to_owned(),
            Self::Checkpoints => "checkpoints".to_owned(),
            Self::Retention => "retention".to_owned(),
            Self::Sink(name) => format!("sink:{name}"),
        }
    }
}

/// A stream with records that a reader has not had yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    /// The stream.
    pub stream: StreamId,
    /// The sequence of the last record that it had; 0 for none. More than `end` where checkpoints told of records that are gone.
    pub through: u64,
    /// The sequence of the last record that there is.
    pub end: u64,
}

/// A record as it lies in the store, whatever was done to it: for verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The place in its stream, from 1.
    pub sequence: u64,
    /// The hash that is stored; 32 bytes unless somebody changed that.
    pub hash: Vec<u8>,
    /// The signature that is stored: the key's version and, unless somebody changed that, 64 bytes.
    pub signature: Option<(u32, Vec<u8>)>,
    /// The canonical bytes that are stored.
    pub canonical: Vec<u8>,
    /// Where the store keeps parts of the record beside the canonical bytes: the name of the first that says something else. `None` also for
    /// canonical bytes that are no record.
    pub differing: Option<&'static str>,
}

impl Link {
    /// The record, where it has the right form. Whether it is the one that was written, only verification tells.
    #[must_use]
    pub fn read(self, stream: StreamId) -> Option<ChainedRecord> {
        let record = AuditRecord::from_canonical(&self.canonical).ok()?;
        let hash = self.hash.try_into().ok()?;
        let signature = self.signature.map(Signature::try_from).transpose().ok()?;
        Some(ChainedRecord { stream, sequence: self.sequence, hash, signature, canonical: self.canonical, record })
    }
}

/// The signature of a link that has the right form.
impl TryFrom<(u32, Vec<u8>)> for Signature {
    type Error = Vec<u8>;

    fn try_from((key_version, bytes): (u32, Vec<u8>)) -> Result<Self, Vec<u8>> {
        bytes.try_into().map(|bytes| Self { key_version, bytes })
    }
}
