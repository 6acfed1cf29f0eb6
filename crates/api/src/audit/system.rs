//! What the operator hears of the audit log, and its verification.

use super::{Base64, ExportCheckpoint};
use serde::{Deserialize, Serialize};

/// How the audit log is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SystemAudit {
    /// How many streams there are.
    pub streams: u64,
    /// How many records there are, without those that retention removed.
    pub records: u64,
    /// How many records searches don't find yet.
    pub unindexed: u64,
    /// How many records no checkpoint tells of yet.
    pub without_checkpoint: u64,
    /// The last checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_checkpoint: Option<LastCheckpoint>,
    /// The sinks of the node that answers.
    pub sinks: Vec<SinkLag>,
}

/// The last checkpoint of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LastCheckpoint {
    /// Its number.
    pub number: u64,
    /// When it was written.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Time))]
    pub created_at: String,
    /// The version of the key that signs since then.
    pub key_version: u32,
}

/// How far a sink is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SinkLag {
    /// Its name.
    pub name: String,
    /// How many records it has not had.
    pub lag: u64,
}

/// A key that signs the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditKey {
    /// Its version.
    pub version: u32,
    /// The public key (Ed25519).
    pub public_key: Base64,
    /// `pending`: the next checkpoint makes it known, `signing`, `retired`, or `foreign`: it doesn't open under the root key.
    pub state: String,
}

/// A step of a verification to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VerifyAudit {
    /// Where to go on, as the step before said; none to begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// A checkpoint that was kept elsewhere, which the log must have. Looked for when it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<ExportCheckpoint>,
    /// How many records and checkpoints to look at at the most, 1 to 20000; 5000 when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 20000))]
    pub limit: Option<u64>,
}

/// What a step of a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VerifiedAudit {
    /// What it is at: `checkpoints`, `streams`, `ends`, `index`.
    pub phase: String,
    /// How many of what the phase goes through are checked.
    pub checked: u64,
    /// How many there are, as far as that is known.
    pub total: u64,
    /// How many records were checked by all steps so far.
    pub records: u64,
    /// The number of the last checkpoint that was checked.
    pub checkpoints: u64,
    /// What is wrong.
    pub findings: Vec<AuditFinding>,
    /// Lines of the index that belong to no record were not looked for, since the records have other findings.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub index_uncounted: bool,
    /// At the end: since when records are not in the index, where that is for longer than a minute. Searches do not find them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unindexed_since: Option<String>,
    /// At the end: since when no checkpoint tells of records, where that is for longer than a minute. Nobody would find that the last of them
    /// were cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unchecked_since: Option<String>,
    /// Where to go on; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Something that is wrong with the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditFinding {
    /// What, in a stable word.
    pub kind: String,
    /// The identity of the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The first record of the stream that it shows at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// The number of the checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<u64>,
    /// Where and what, in a sentence.
    pub message: String,
    /// What to do.
    pub advice: String,
}
