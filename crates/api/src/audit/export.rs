use super::{AuditEntry, Base64};
use serde::{Deserialize, Serialize};

/// The format of exports that this release writes.
pub const EXPORT_FORMAT: u32 = 1;

/// A line of an export of the audit log, in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ExportLine {
    /// The first line.
    Header(ExportHeader),
    /// A checkpoint; in the operator's export, before all records.
    Checkpoint(ExportCheckpoint),
    /// A record.
    Record(Box<ExportRecord>),
    /// The last line: an export without it is torn.
    End(ExportEnd),
}

/// What an export holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExportHeader {
    /// The format: 1.
    pub format: u32,
    /// When it was begun.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Time))]
    pub exported_at: String,
    /// The identity of the organisation whose log it is; null for the whole log.
    pub organisation: Option<String>,
    /// The keys that signed, as the server knows them. Proof begins with a key that is known from elsewhere.
    pub keys: Vec<ExportKey>,
}

/// The public part of a key that signs the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", schema(as = AuditSigningKey))]
pub struct ExportKey {
    /// Its version.
    pub version: u32,
    /// The public key (Ed25519).
    pub public_key: Base64,
}

/// A checkpoint, as the store has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExportCheckpoint {
    /// Its number, from 1.
    pub number: u64,
    /// What is hashed.
    pub canonical: Base64,
    /// The version of the key that signed it.
    pub key_version: u32,
    /// The signature (Ed25519).
    pub signature: Base64,
}

/// A record, as the store has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExportRecord {
    /// The identity of its stream.
    pub stream: String,
    /// Its place in the stream, from 1.
    pub sequence: u64,
    /// SHA-256 of the hash before it and the canonical bytes.
    pub hash: Base64,
    /// The hash before it. In the export of an organisation, whose records don't follow one another in their streams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_hash: Option<Base64>,
    /// The version of the key that signed it, where it was the last of a commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_version: Option<u32>,
    /// That signature (Ed25519).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Base64>,
    /// What is hashed.
    pub canonical: Base64,
    /// What the canonical bytes say, for people; proves nothing.
    pub entry: AuditEntry,
}

/// The export is whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExportEnd {
    /// How many records it holds.
    pub records: u64,
    /// The index was behind: records from shortly before the export may be missing.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub may_lack_newest: bool,
}

#[cfg(test)]
mod tests {
    use super::{Base64, ExportEnd, ExportHeader, ExportKey, ExportLine};

    #[test]
    fn lines_are_as_documented() {
        let keys = vec![ExportKey { version: 1, public_key: Base64(vec![0xfb, 0xff]) }];
        let exported_at = "2026-01-01T00:00:00Z".to_owned();
        let header = ExportLine::Header(ExportHeader { format: 1, exported_at, organisation: None, keys });
        for (line, text) in [
            (
                header,
                r#"{"type":"header","format":1,"exportedAt":"2026-01-01T00:00:00Z","organisation":null,"keys":[{"version":1,"publicKey":"+/8="}]}"#,
            ),
            (ExportLine::End(ExportEnd { records: 7, may_lack_newest: false }), r#"{"type":"end","records":7}"#),
            (
                ExportLine::End(ExportEnd { records: 7, may_lack_newest: true }),
                r#"{"type":"end","records":7,"mayLackNewest":true}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&line).expect("JSON"), text);
            assert_eq!(serde_json::from_str::<ExportLine>(text).expect("a line"), line);
        }
        assert!(serde_json::from_str::<ExportLine>(r#"{"type":"end"}"#).is_err());
        assert!(serde_json::from_str::<Base64>(r#""a""#).is_err());
    }
}
