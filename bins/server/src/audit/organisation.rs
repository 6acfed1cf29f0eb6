//! Verifying the export of one organisation: each record by itself.

use super::findings::Report;
use std::collections::HashMap;
use strongroom_api::audit::{AuditEntry, ExportHeader, ExportRecord};
use strongroom_crypto::Ed25519Verifier;
use strongroom_domain::audit::{AuditRecord, ChainHash, ChainState, Finding, FindingKind, signed_bytes};
use strongroom_domain::id::StreamId;
use strongroom_domain::port::SignatureVerifier;

/// The records of an organisation.
pub(super) struct Records {
    organisation: String,
    /// Of the keys that the header names, those that are trusted.
    keys: HashMap<u32, [u8; 32]>,
    unlinked: u64,
    signed: u64,
    unknown_keys: u64,
}

/// The hash of a record after this one.
fn hash_of(stream: StreamId, sequence: u64, previous: ChainHash, canonical: &[u8]) -> ChainHash {
    ChainState { stream, sequence: sequence.saturating_sub(1), hash: previous }.after(canonical).hash
}

impl Records {
    pub(super) fn new(organisation: String, header: &ExportHeader, trusted: &[[u8; 32]]) -> Self {
        let keys = header.keys.iter().filter_map(|key| {
            let public: [u8; 32] = key.public_key.0.as_slice().try_into().ok()?;
            trusted.contains(&public).then_some((key.version, public))
        });
        Self { organisation, keys: keys.collect(), unlinked: 0, signed: 0, unknown_keys: 0 }
    }

    pub(super) fn record(&mut self, stream: StreamId, record: &ExportRecord, report: &mut Report) {
        if let Some((kind, part)) = self.wrong(stream, record) {
            report.add(&Finding { part, ..Finding::at_record(kind, stream, record.sequence) });
        }
    }

    fn wrong(&mut self, stream: StreamId, record: &ExportRecord) -> Option<(FindingKind, Option<&'static str>)> {
        let changed = Some((FindingKind::RecordChanged, None));
        let Ok(hash) = <[u8; 32]>::try_from(record.hash.0.as_slice()) else { return changed };
        let first = (record.sequence == 1).then(|| ChainState::begin(stream).hash);
        let previous = record.previous_hash.as_ref().map(|previous| <[u8; 32]>::try_from(previous.0.as_slice()));
        match (first, previous) {
            (_, Some(Err(_))) => return changed,
            (Some(first), Some(Ok(previous))) if first != previous => return changed,
            (Some(previous), _) | (None, Some(Ok(previous))) => {
                if hash_of(stream, record.sequence, previous, &record.canonical.0) != hash {
                    return changed;
                }
            }
            (None, None) => self.unlinked += 1,
        }
        let Ok(read) = AuditRecord::from_canonical(&record.canonical.0) else {
            return Some((FindingKind::RecordUnreadable, None));
        };
        if read.organisation.map(|id| id.to_string()).as_deref() != Some(&self.organisation) {
            return Some((FindingKind::RecordMisplaced, Some("of another organisation")));
        }
        // Names are those of now, and nothing that was signed.
        let shown = AuditEntry {
            user: None,
            service_account: None,
            impersonator: None,
            organization: None,
            ..record.entry.clone()
        };
        let signed = AuditEntry::from(&read);
        if !is_same(&signed, &shown) {
            return Some((FindingKind::ColumnDiffers, Some("entry")));
        }
        let signature = record.signature.as_ref()?;
        let Some(public) = record.key_version.and_then(|version| self.keys.get(&version)) else {
            self.unknown_keys += 1;
            return None;
        };
        let bytes = signed_bytes(stream, record.sequence, &hash);
        let holds = <[u8; 64]>::try_from(signature.0.as_slice())
            .is_ok_and(|signature| Ed25519Verifier.verify(public, &bytes, &signature));
        if !holds {
            return Some((FindingKind::SignatureInvalid, None));
        }
        self.signed += 1;
        None
    }

    pub(super) fn end(self, report: &mut Report) {
        let told = [
            "that these are all records of the organisation, and that none is missing between them: that takes the operator's export"
                .to_owned(),
            format!(
                "that a record that no signature ends a commit with was written so: {} of {} records are signed themselves by a key that \
                 you trust; the others have the hash that they say, which anybody can make",
                self.signed, report.records
            ),
        ];
        report.not_proven.extend(told);
        if self.unknown_keys > 0 {
            report.not_proven.push(format!(
                "{} signatures by keys that you did not give with --key, or that the export does not name",
                self.unknown_keys
            ));
        }
        if self.unlinked > 0 {
            report.not_proven.push(format!(
                "the hash of {} records, since the record before was removed by retention",
                self.unlinked
            ));
        }
    }
}

/// What kind of credential it was may be told besides.
fn is_same(signed: &AuditEntry, shown: &AuditEntry) -> bool {
    let mut shown = shown.clone();
    shown.context.credentials_type.clone_from(&signed.context.credentials_type);
    *signed == shown
}
