//! Verifying an export, offline.

use super::anchors::Anchors;
use super::ends::Ends;
use super::findings::Report;
use super::organisation::Records;
use super::progress::Progress;
use crate::failure::Failure;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use strongroom_api::audit::AuditEntry;
use strongroom_api::audit::{EXPORT_FORMAT, ExportCheckpoint, ExportEnd, ExportHeader, ExportLine, ExportRecord};
use strongroom_crypto::Ed25519Verifier;
use strongroom_domain::audit::{AuditRecord, Finding, FindingKind, Ledger, Link, StreamCheck, check_anchor};
use strongroom_domain::id::StreamId;
use strongroom_domain::port::StoredCheckpoint;

/// The longest line: a checkpoint of a thousand streams has some hundred kilobytes.
pub(super) const MAX_LINE: u64 = 16 * 1024 * 1024;
/// After how many lines it is told how far it came.
const TOLD_AFTER: u64 = 4_096;

/// Verifies the export in this file with the keys that are trusted, the first of the log first.
pub(super) fn verify(file: &Path, keys: &[[u8; 32]], anchors: Option<&Anchors>) -> Result<Report, Failure> {
    let unread = || Failure::runtime(format!("{} cannot be read", file.display()));
    let opened = File::open(file).map_err(|error| unread().because(error))?;
    let len = opened.metadata().map_err(|error| unread().because(error))?.len();
    let mut lines = Lines { from: BufReader::new(opened), name: file.display().to_string(), read: 0, number: 0 };
    let Some(ExportLine::Header(header)) = lines.next()? else {
        return Err(Failure::runtime(format!("{} does not begin as an export of the audit log does", file.display())));
    };
    if header.format != EXPORT_FORMAT {
        return Err(Failure::runtime(format!(
            "{} is an export of format {}, and this program reads format {EXPORT_FORMAT}",
            file.display(),
            header.format
        )));
    }
    let mut progress = Progress::new();
    let told = read(&mut lines, &header, (keys, anchors), len, &mut progress);
    progress.end();
    told
}

fn read(
    lines: &mut Lines,
    header: &ExportHeader,
    (keys, anchors): (&[[u8; 32]], Option<&Anchors>),
    len: u64,
    progress: &mut Progress,
) -> Result<Report, Failure> {
    let mut content = match &header.organisation {
        None => Content::Whole(Box::new(Whole::new(keys, anchors))),
        Some(organisation) => {
            if anchors.is_some() {
                return Err(Failure::runtime(
                    "the export of an organisation has no checkpoints, so an anchor tells nothing of it; leave --anchor out",
                ));
            }
            Content::Organisation(Records::new(organisation.clone(), header, keys))
        }
    };
    let (mut report, mut end) = (Report::default(), None);
    if let Some(anchors) = anchors {
        anchors.tell_breaks(&mut report);
    }
    let mut is_torn = false;
    loop {
        let line = match lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => break,
            // Cut off within a line.
            Err(_) if lines.is_at_end()? => {
                is_torn = true;
                break;
            }
            Err(error) => return Err(error),
        };
        if lines.number.is_multiple_of(TOLD_AFTER) {
            progress.show("export", lines.read, len);
        }
        is_torn |= end.is_some();
        match line {
            ExportLine::Header(_) => is_torn = true,
            ExportLine::End(ExportEnd { records, .. }) => end = Some(records),
            ExportLine::Checkpoint(checkpoint) => {
                report.checkpoints += 1;
                content.checkpoint(checkpoint, &mut report)?;
            }
            ExportLine::Record(record) => {
                report.records += 1;
                content.record(*record, &mut report)?;
            }
        }
    }
    is_torn |= end != Some(report.records);
    if is_torn {
        report.add(&Finding::of_all(FindingKind::ExportTorn));
    }
    content.end(is_torn, &mut report);
    Ok(report)
}

/// What an export holds.
enum Content {
    Whole(Box<Whole>),
    Organisation(Records),
}

impl Content {
    fn checkpoint(&mut self, checkpoint: ExportCheckpoint, report: &mut Report) -> Result<(), Failure> {
        match self {
            Self::Whole(whole) => whole.checkpoint(&stored(checkpoint), report),
            // None belongs there.
            Self::Organisation(_) => {
                report.add(&Finding::of_all(FindingKind::ExportTorn));
                Ok(())
            }
        }
    }

    fn record(&mut self, record: ExportRecord, report: &mut Report) -> Result<(), Failure> {
        let stream: StreamId =
            record.stream.parse().map_err(|error| Failure::runtime("a record names no stream").because(error))?;
        match self {
            Self::Whole(whole) => whole.record(stream, record, report),
            Self::Organisation(records) => {
                records.record(stream, &record, report);
                Ok(())
            }
        }
    }

    fn end(self, is_torn: bool, report: &mut Report) {
        match self {
            Self::Whole(whole) => whole.end(is_torn, report),
            Self::Organisation(records) => records.end(report),
        }
    }
}

/// The lines of an export.
struct Lines {
    from: BufReader<File>,
    name: String,
    /// How many bytes.
    read: u64,
    number: u64,
}

impl Lines {
    fn next(&mut self) -> Result<Option<ExportLine>, Failure> {
        let mut line = Vec::new();
        let read = self.from.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
        let (number, name) = (self.number + 1, &self.name);
        let failed = |what: &str| Failure::runtime(format!("line {number} of {name} {what}"));
        let read = read.map_err(|error| failed("cannot be read").because(error))?;
        if read == 0 {
            return Ok(None);
        }
        self.read += read as u64;
        self.number = number;
        if line.last() != Some(&b'\n') {
            return Err(failed("is cut off, or too long"));
        }
        serde_json::from_slice(&line).map(Some).map_err(|error| failed("is no line of an export").because(error))
    }

    fn is_at_end(&mut self) -> Result<bool, Failure> {
        let left = self.from.fill_buf().map(<[u8]>::is_empty);
        left.map_err(|error| Failure::runtime(format!("{} cannot be read", self.name)).because(error))
    }
}

pub(super) fn stored(checkpoint: ExportCheckpoint) -> StoredCheckpoint {
    let ExportCheckpoint { number, canonical, key_version, signature } = checkpoint;
    StoredCheckpoint { number, canonical: canonical.0, signature: (key_version, signature.0) }
}

fn unkept(error: io::Error) -> Failure {
    let folder = std::env::temp_dir();
    let what = format!("what checkpoints tell cannot be kept in a temporary file in {}", folder.display());
    Failure::runtime(what + "; name another folder by TMPDIR").because(error)
}

/// The whole log.
struct Whole {
    ledger: Ledger,
    anchors: Option<Vec<StoredCheckpoint>>,
    /// The anchors' numbers, and what the export has under them; whether it came behind records.
    found: HashMap<u64, Option<(StoredCheckpoint, bool)>>,
    ends: Ends,
    seen: HashSet<StreamId>,
    check: Option<StreamCheck>,
    /// What was wrong with the end of this stream before checkpoints came behind its records, as far as it is known.
    before: Option<Option<Finding>>,
}

impl Whole {
    fn new(keys: &[[u8; 32]], anchors: Option<&Anchors>) -> Self {
        let ends = anchors.map(|anchors| anchors.ends.clone());
        Self {
            ledger: keys.first().map_or_else(Ledger::new, |key| Ledger::trusting(*key)),
            found: ends.iter().flatten().map(|end| (end.number, None)).collect(),
            anchors: ends,
            ends: Ends::default(),
            seen: HashSet::new(),
            check: None,
            before: None,
        }
    }

    fn checkpoint(&mut self, stored: &StoredCheckpoint, report: &mut Report) -> Result<(), Failure> {
        if let (Some(check), None) = (&self.check, self.before) {
            self.before = Some(check.end(&self.ledger));
        }
        let (sound, finding) = self.ledger.take(stored, &Ed25519Verifier);
        if let Some(finding) = finding {
            report.add(&finding);
        }
        for end in sound.into_iter().flat_map(|checkpoint| checkpoint.ends) {
            self.ends.tell(&end).map_err(unkept)?;
        }
        if let Some(found) = self.found.get_mut(&stored.number) {
            *found = Some((stored.clone(), !self.seen.is_empty()));
        }
        Ok(())
    }

    fn record(&mut self, stream: StreamId, record: ExportRecord, report: &mut Report) -> Result<(), Failure> {
        if self.check.is_none_or(|check| check.through.stream != stream) {
            self.end_stream(false, report);
            if !self.seen.insert(stream) {
                report.add(&Finding::at_record(FindingKind::RecordMisplaced, stream, record.sequence));
            }
            self.check = Some(StreamCheck::begin(stream));
        }
        self.before = None;
        let Some(check) = &mut self.check else { return Ok(()) };
        let differing = AuditRecord::from_canonical(&record.canonical.0)
            .ok()
            .filter(|read| AuditEntry::from(read) != record.entry)
            .map(|_| "entry");
        let signature = record.signature.map(|signature| (record.key_version.unwrap_or(0), signature.0));
        let (sequence, hash) = (record.sequence, record.hash.0);
        let link = Link { sequence, hash, signature, canonical: record.canonical.0, differing };
        if let Some(finding) = check.take(&link, &self.ledger, &Ed25519Verifier) {
            report.add(&finding);
        } else if self.ends.differ(stream, sequence, &link.hash).map_err(unkept)? {
            report.add(&Finding::at_record(FindingKind::CheckpointDiffers, stream, sequence));
        }
        Ok(())
    }

    fn end_stream(&mut self, is_torn: bool, report: &mut Report) {
        let before = self.before.take();
        // Where the export is torn, the rest of the stream is elsewhere.
        let Some(check) = self.check.take().filter(|_| !is_torn) else { return };
        match check.end(&self.ledger) {
            // Checkpoints that were written while the export was made tell of records that came after it had had the stream.
            Some(finding) if finding.kind == FindingKind::RecordsCutOff && before == Some(None) => {
                report.not_proven.push(format!(
                    "that stream {} does not go on after record {}: checkpoints that came into the export behind it tell of more, which is right \
                     where they were written after the export was begun",
                    check.through.stream, check.through.sequence
                ));
            }
            Some(finding) => report.add(&finding),
            None => {}
        }
    }

    fn end(mut self, is_torn: bool, report: &mut Report) {
        self.end_stream(is_torn, report);
        if !is_torn {
            let mut gone: Vec<_> = self.ledger.streams().filter(|stream| !self.seen.contains(stream)).collect();
            gone.sort_unstable();
            for stream in gone {
                report.add(&Finding::of_stream(FindingKind::StreamMissing, stream));
            }
        }
        match &self.anchors {
            Some(anchors) => {
                for anchor in anchors {
                    let found = self.found.get(&anchor.number).and_then(Option::as_ref);
                    let differs = check_anchor(anchor, found.map(|(found, _)| found));
                    // The export begins with all checkpoints that there are. One that came later may have been put behind records that it
                    // tells more of, which is no finding where it was written meanwhile: so it proves nothing.
                    let is_late = found.is_some_and(|(_, is_late)| *is_late);
                    let late = is_late.then(|| Finding::at_checkpoint(FindingKind::AnchorLate, anchor.number));
                    if let Some(finding) = differs.or(late) {
                        report.add(&finding);
                    }
                }
            }
            None => report.not_proven.push(
                "that the end of the log was not cut off, or the whole database set back before the export; give a checkpoint that was \
                 kept elsewhere with --anchor"
                    .to_owned(),
            ),
        }
        report
            .not_proven
            .push("whether searches find every record; `strongroomd audit verify` on the server tells".to_owned());
    }
}
