//! Records and checkpoints as lines of JSON.

use strongroom_api::audit::{ExportCheckpoint, ExportLine, ExportRecord};
use strongroom_domain::audit::{ChainedRecord, SignedCheckpoint};
use strongroom_domain::port::{SinkError, StoredCheckpoint};

/// A record, without a newline.
pub(crate) fn record(chained: &ChainedRecord) -> Result<Vec<u8>, SinkError> {
    json(&ExportLine::Record(Box::new(ExportRecord::from(chained))))
}

/// A checkpoint, without a newline: an anchor.
pub(crate) fn checkpoint(checkpoint: &SignedCheckpoint) -> Result<Vec<u8>, SinkError> {
    json(&ExportLine::Checkpoint((&StoredCheckpoint::from(checkpoint)).into()))
}

/// The checkpoint that a line holds.
pub(crate) fn read_checkpoint(line: &[u8]) -> Option<SignedCheckpoint> {
    let Ok(ExportLine::Checkpoint(ExportCheckpoint { number, canonical, key_version, signature })) =
        serde_json::from_slice(line)
    else {
        return None;
    };
    StoredCheckpoint { number, canonical: canonical.0, signature: (key_version, signature.0) }.read()
}

/// Each with a newline.
pub(crate) fn records(chained: &[ChainedRecord]) -> Result<Vec<u8>, SinkError> {
    let mut lines = Vec::new();
    for chained in chained {
        lines.extend_from_slice(&record(chained)?);
        lines.push(b'\n');
    }
    Ok(lines)
}

fn json(line: &ExportLine) -> Result<Vec<u8>, SinkError> {
    serde_json::to_vec(line).map_err(|error| SinkError::new("the line cannot be written as JSON").because(error))
}
