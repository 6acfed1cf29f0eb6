//! What an export proves by itself: form, hashes, signatures.

use crate::failure::Failure;
use crate::source::Source;
use aws_lc_rs::digest::{Context as Hasher, SHA256, digest};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use serde::Serialize;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use strongroom_api::audit::{EXPORT_FORMAT, ExportHeader, ExportLine, ExportRecord};

/// The longest line, in bytes.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;

/// How many findings are told; all are counted.
const MOST_TOLD: u64 = 20;

const TORN: &str = "the export is torn: its end is missing, or counts other records";

/// An export that is being read.
type Lines = BufReader<Box<dyn Read>>;

/// What was found.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub(super) organisation: String,
    pub(super) exported_at: String,
    pub(super) records: u64,
    /// How many signatures were verified.
    pub(super) signed: u64,
    /// How many things are wrong.
    pub(super) wrong: u64,
    /// The first of them.
    pub(super) findings: Vec<Found>,
    pub(super) not_proven: Vec<String>,
}

/// Something that is wrong.
#[derive(Serialize)]
pub(super) struct Found {
    pub(super) line: u64,
    pub(super) stream: String,
    pub(super) sequence: u64,
    pub(super) what: &'static str,
}

struct Verifier {
    report: Report,
    keys: HashMap<u32, Vec<u8>>,
    unlinked: u64,
    unknown_keys: u64,
}

/// Verifies the export in a file; signatures by the keys that are trusted, or by those that it names itself when none is given.
pub(super) fn verify(name: &Source, trusted: &[[u8; 32]]) -> Result<Report, Failure> {
    let mut lines = BufReader::new(name.open()?);
    let read = |lines: &mut Lines| {
        next(lines).map_err(|error| {
            Failure::failed(format!("{name} cannot be read to its end"))
                .hint("nothing is verified: take the export out again, or copy it from where it is whole")
                .because(error)
        })
    };
    let Some(ExportLine::Header(header)) = read(&mut lines)?.and_then(|line| parsed(&line)) else {
        return Err(Failure::usage(format!("{name} does not begin as an export of the audit log does"))
            .hint("`strongroom audit export --output FILE` makes one"));
    };
    let mut verifier = Verifier::of(&header, trusted, &name.to_string())?;
    let (mut number, mut end) = (1, None);
    while let Some(line) = read(&mut lines)? {
        number += 1;
        if !line.ends_with(b"\n") {
            end = None;
            break;
        }
        let is_behind_end = end.is_some();
        match parsed(&line) {
            Some(ExportLine::Record(record)) if !is_behind_end => verifier.record(number, *record),
            Some(ExportLine::End(told)) if !is_behind_end => end = Some(told.records),
            _ => verifier.wrong(number, "", 0, "this line belongs in no export"),
        }
    }
    if end != Some(verifier.report.records) {
        verifier.wrong(number, "", 0, TORN);
    }
    Ok(verifier.end(trusted.is_empty()))
}

/// A line; one that is cut off or too long is none of an export.
fn next(lines: &mut Lines) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let length = lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    Ok((length > 0).then_some(line))
}

fn parsed(line: &[u8]) -> Option<ExportLine> {
    serde_json::from_slice(line.strip_suffix(b"\n")?).ok()
}

impl Verifier {
    fn of(header: &ExportHeader, trusted: &[[u8; 32]], name: &str) -> Result<Self, Failure> {
        let whole = "that is what `strongroomd audit verify FILE --key KEY` is for";
        let Some(organisation) = &header.organisation else {
            return Err(Failure::usage(format!("{name} is the operator's export of the whole log")).hint(whole));
        };
        if header.format != EXPORT_FORMAT {
            let message = format!("{name} has format {}, and this program reads format {EXPORT_FORMAT}", header.format);
            return Err(Failure::usage(message).hint("use the release that wrote it, or a newer one"));
        }
        let is_trusted = |public: &[u8]| trusted.is_empty() || trusted.iter().any(|key| key == public);
        let keys = header.keys.iter().filter(|key| is_trusted(&key.public_key.0));
        let keys = keys.map(|key| (key.version, key.public_key.0.clone())).collect();
        let (organisation, exported_at) = (organisation.clone(), header.exported_at.clone());
        let report = Report { organisation, exported_at, ..Report::default() };
        Ok(Self { report, keys, unlinked: 0, unknown_keys: 0 })
    }

    fn wrong(&mut self, line: u64, stream: &str, sequence: u64, what: &'static str) {
        self.report.wrong += 1;
        if self.report.wrong <= MOST_TOLD {
            self.report.findings.push(Found { line, stream: stream.to_owned(), sequence, what });
        }
    }

    fn record(&mut self, line: u64, record: ExportRecord) {
        self.report.records += 1;
        if let Some(what) = self.fault_of(&record) {
            self.wrong(line, &record.stream, record.sequence, what);
        }
    }

    fn fault_of(&mut self, record: &ExportRecord) -> Option<&'static str> {
        const CHANGED: &str = "the record was changed: its hash is another";
        let Some(stream) = uuid_of(&record.stream) else { return Some("the record names no stream") };
        let told = record.previous_hash.as_ref().map(|hash| hash.0.as_slice());
        let begun = (record.sequence == 1).then(|| begin(&stream));
        if let (Some(begun), Some(told)) = (&begun, told)
            && begun != told
        {
            return Some(CHANGED);
        }
        match begun.as_deref().or(told) {
            Some(previous) => {
                let mut hasher = Hasher::new(&SHA256);
                hasher.update(previous);
                hasher.update(&record.canonical.0);
                if previous.len() != SHA256.output_len() || hasher.finish().as_ref() != record.hash.0 {
                    return Some(CHANGED);
                }
            }
            None => self.unlinked += 1,
        }
        let signature = record.signature.as_ref()?;
        let Some(key) = record.key_version.and_then(|version| self.keys.get(&version)) else {
            self.unknown_keys += 1;
            return None;
        };
        let bytes = signed_bytes(&stream, record.sequence, &record.hash.0);
        match UnparsedPublicKey::new(&ED25519, key).verify(&bytes, &signature.0) {
            Ok(()) => {
                self.report.signed += 1;
                None
            }
            Err(_) => Some("the signature is not one of the key that it names"),
        }
    }

    fn end(mut self, is_untrusted: bool) -> Report {
        let report = &mut self.report;
        if is_untrusted {
            let text = "that the server signed it: the keys are those that the export names; give one that you trust with --key";
            report.not_proven.push(text.to_owned());
        }
        report.not_proven.extend([
            "that no record is missing, and none there twice: only the operator's export of the whole log shows that".to_owned(),
            "that the readable entries say what the signed bytes say: `strongroomd audit verify FILE --key KEY` compares them"
                .to_owned(),
            format!("who wrote the {} records without a signature that holds", report.records.saturating_sub(report.signed)),
        ]);
        if self.unknown_keys > 0 {
            let text =
                format!("{} signatures by keys that are not trusted, or not named in the export", self.unknown_keys);
            report.not_proven.push(text);
        }
        if self.unlinked > 0 {
            let text = format!("the hash of {} records, whose record before was removed by retention", self.unlinked);
            report.not_proven.push(text);
        }
        self.report
    }
}

/// The 16 bytes of an identity `stream-…`: base32 of the digits 0-9 and a-v.
fn uuid_of(stream: &str) -> Option<[u8; 16]> {
    let code = stream.strip_prefix("stream-").filter(|code| code.len() == 26)?;
    let mut bits: u128 = 0;
    for (at, digit) in code.bytes().enumerate() {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'v' => digit - b'a' + 10,
            _ => return None,
        };
        // 26 digits have 130 bits; the last two are none.
        bits = if at == 25 { (bits << 3) | u128::from(value >> 2) } else { (bits << 5) | u128::from(value) };
        if at == 25 && value & 3 != 0 {
            return None;
        }
    }
    Some(bits.to_be_bytes())
}

/// Canonical bytes: a purpose and its version, then fields, each behind its length.
fn canonical(purpose: &str, fields: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    let mut add = |field: &[u8], version: &[u8]| {
        bytes.extend_from_slice(&u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(field);
        bytes.extend_from_slice(version);
    };
    add(purpose.as_bytes(), &[1]);
    fields.iter().for_each(|field| add(field, &[]));
    bytes
}

/// The hash before the first record of a stream.
fn begin(stream: &[u8; 16]) -> Vec<u8> {
    digest(&SHA256, &canonical("strongroom audit stream", &[stream])).as_ref().to_vec()
}

fn signed_bytes(stream: &[u8; 16], sequence: u64, hash: &[u8]) -> Vec<u8> {
    canonical("strongroom audit commit", &[stream, &sequence.to_be_bytes(), hash])
}
