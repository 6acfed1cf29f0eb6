//! Records and checkpoints to send, and how they are read on the other side.

use strongroom_api::audit::{ExportCheckpoint, ExportLine};
use strongroom_domain::audit::{
    Action, AuditKey, ChainState, ChainedRecord, Checkpoint, Outcome, SignedCheckpoint, SinkName,
};
use strongroom_domain::id::StreamId;
use strongroom_domain::port::AuditSigner;
use strongroom_testkit::{FixedSigner, build};

pub(crate) fn name() -> SinkName {
    SinkName::new("test").expect("a name")
}

/// A stream of so many records, the last one signed.
pub(crate) fn stream(count: usize) -> Vec<ChainedRecord> {
    let mut state = ChainState::begin(StreamId::new(build::uuid()));
    let mut records: Vec<_> = (0..count)
        .map(|n| {
            let mut record = build::record(Action::SecretValueRead);
            record.outcome = [Outcome::Success, Outcome::Denied, Outcome::Failure][n % 3];
            record.decided_by = Some("a \"rule\" \\ with ] é".to_owned());
            state.append(record.into())
        })
        .collect();
    if let Some(last) = records.last_mut() {
        last.signature = Some(FixedSigner.sign(&state.signed_bytes()));
    }
    records
}

/// Whether a line tells exactly this record.
pub(crate) fn assert_record(line: &[u8], expected: &ChainedRecord) {
    let ExportLine::Record(told) = serde_json::from_slice(line).expect("a line") else { panic!("no record") };
    assert_eq!((told.stream.clone(), told.sequence), (expected.stream.to_string(), expected.sequence));
    assert_eq!((told.canonical.0.clone(), told.hash.0.clone()), (expected.canonical.clone(), expected.hash.to_vec()));
    let signature = expected.signature.map(|signature| (signature.key_version, signature.bytes.to_vec()));
    assert_eq!(told.key_version.zip(told.signature.map(|bytes| bytes.0)), signature);
    assert_eq!(told.entry.event_id, expected.record.event.to_string());
}

pub(crate) fn assert_records(lines: &[Vec<u8>], expected: &[ChainedRecord]) {
    assert_eq!(lines.len(), expected.len());
    for (line, expected) in lines.iter().zip(expected) {
        assert_record(line, expected);
    }
}

pub(crate) fn checkpoint(number: u64) -> SignedCheckpoint {
    let checkpoint = Checkpoint {
        number,
        at: build::at(5),
        previous: [7; 32],
        keys: vec![AuditKey { version: 1, public: [3; 32] }],
        newest_key: 1,
        begins: Vec::new(),
        ends: vec![ChainState { stream: StreamId::new(build::uuid()), sequence: 9, hash: [4; 32] }],
    };
    let signature = FixedSigner.sign(&checkpoint.signed_bytes());
    SignedCheckpoint { checkpoint, signature }
}

pub(crate) fn assert_checkpoint(line: &[u8], expected: &SignedCheckpoint) {
    let ExportLine::Checkpoint(ExportCheckpoint { number, canonical, key_version, signature }) =
        serde_json::from_slice(line).expect("a line")
    else {
        panic!("no checkpoint")
    };
    assert_eq!((number, canonical.0), (expected.checkpoint.number, expected.checkpoint.to_canonical()));
    assert_eq!((key_version, signature.0), (expected.signature.key_version, expected.signature.bytes.to_vec()));
}
