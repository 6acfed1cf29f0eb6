//! The audit log: records, their canonical bytes, and the hash chain that makes them tamper-evident.
//!
//! Each writer of a store keeps one stream: sequence 1, 2, 3 … without gaps, every record's hash taken over the hash before it and
//! its own canonical bytes, the last record of every commit signed. A record can't be altered, removed or slipped in without
//! breaking the chain from there on.

mod action;
mod canonical;
mod chain;
mod checkpoint;
mod reader;
mod record;
mod term;
mod verify;

pub use action::{Action, Outcome, ResourceKind};
pub use chain::{ChainHash, ChainState, ChainedRecord, EncodedRecord, Signature, signed_bytes};
pub use checkpoint::{AuditKey, Checkpoint, SignedCheckpoint};
pub use reader::{Behind, Link, LogReader, SinkName, SinkNameError};
pub use record::{AuditRecord, Details, RequestInfo, Resource};
pub use term::{IndexEntry, Term};
pub use verify::{Finding, FindingKind, KnownKeys, Ledger, StreamCheck, check_anchor};
