//! What a verification came to.

use crate::failure::Failure;
use crate::operator::output::Output;
use serde::{Deserialize, Serialize};
use strongroom_api::audit::AuditFinding;
use strongroom_domain::audit::Finding;

/// How many findings are printed; others are in the JSON.
const PRINTED: usize = 50;
/// How many findings are kept: where a whole log was changed, more tell nothing, and would fill memory and the file of the state.
const KEPT: usize = 1_000;

/// What a verification came to, as `--json` prints it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Report {
    /// Whether nothing was found.
    pub(super) sound: bool,
    pub(super) checkpoints: u64,
    pub(super) records: u64,
    /// The first ones.
    findings: Vec<AuditFinding>,
    /// How many were found after those.
    further_findings: u64,
    /// What this verification can't tell, in sentences.
    pub(super) not_proven: Vec<String>,
}

impl Report {
    /// Adds one, unless it is known.
    pub(super) fn add(&mut self, finding: &Finding) {
        let finding = AuditFinding {
            kind: finding.kind.as_str().to_owned(),
            stream: finding.stream.map(|stream| stream.to_string()),
            sequence: finding.sequence,
            checkpoint: finding.checkpoint,
            message: finding.to_string(),
            advice: finding.kind.advice().to_owned(),
        };
        if !self.findings.contains(&finding) {
            self.extend([finding]);
        }
    }

    /// Adds what a server found.
    pub(super) fn extend(&mut self, findings: impl IntoIterator<Item = AuditFinding>) {
        for finding in findings {
            if self.findings.len() < KEPT {
                self.findings.push(finding);
            } else {
                self.further_findings += 1;
            }
        }
    }

    fn count(&self) -> u64 {
        self.findings.len() as u64 + self.further_findings
    }

    /// Prints it; findings fail the command.
    pub(super) fn tell(mut self, json: bool) -> Result<(), Failure> {
        self.sound = self.findings.is_empty();
        if json {
            let text = serde_json::to_vec(&self);
            Output::line(&text.map_err(|error| Failure::runtime("the result cannot be written").because(error))?)?;
        } else {
            Output::line(self.text().trim_end().as_bytes())?;
        }
        match self.count() {
            0 => Ok(()),
            1 => Err(Failure::findings("the audit log is not what was signed: 1 finding")),
            count => Err(Failure::findings(format!("the audit log is not what was signed: {count} findings"))),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for finding in self.findings.iter().take(PRINTED) {
            text += &format!("{}\n    {}\n", finding.message, finding.advice);
        }
        let more = self.count().saturating_sub(PRINTED as u64);
        if more > 0 {
            let printed = if self.further_findings > 0 { format!("the first {KEPT}") } else { "all".to_owned() };
            text += &format!("and {more} more; --json prints {printed}\n");
        }
        let verified = format!("{} records and {} checkpoints", self.records, self.checkpoints);
        text += &if self.sound {
            format!("verified: {verified} are what was signed\n")
        } else {
            format!("{verified} were looked at\n")
        };
        for sentence in &self.not_proven {
            text += &format!("not proven: {sentence}\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Report;
    use strongroom_domain::audit::{Finding, FindingKind};
    use strongroom_domain::id::StreamId;
    use uuid::Uuid;

    #[test]
    fn each_finding_says_what_where_and_what_to_do() {
        let stream = StreamId::new(Uuid::from_u128(1));
        let mut report = Report { records: 7, checkpoints: 2, ..Report::default() };
        report.not_proven.push("it all".to_owned());
        for sequence in 1..=60 {
            report.add(&Finding::at_record(FindingKind::RecordChanged, stream, sequence));
        }
        let text = report.text();
        assert!(text.starts_with(&format!("stream {stream}, record 1: the record is not what was written")), "{text}");
        assert!(text.contains("\n    compare it with a backup"), "{text}");
        assert!(text.ends_with(
            "and 10 more; --json prints all\n7 records and 2 checkpoints were looked at\nnot proven: it all\n"
        ));
        assert!(report.tell(true).is_err());
    }

    #[test]
    fn the_first_findings_are_kept_and_others_counted() {
        let mut report = Report::default();
        let of = |sequence| Finding::at_record(FindingKind::RecordChanged, StreamId::new(Uuid::from_u128(1)), sequence);
        (1..=999).for_each(|sequence| report.add(&of(sequence)));
        assert_eq!((report.findings.len(), report.further_findings, report.count()), (999, 0, 999));
        assert!(report.text().contains("and 949 more; --json prints all\n"));
        (1_000..=2_500).for_each(|sequence| report.add(&of(sequence)));
        assert_eq!((report.findings.len(), report.further_findings, report.count()), (1_000, 1_500, 2_500));
        assert_eq!(report.findings.last().and_then(|last| last.sequence), Some(1_000));
        assert!(report.text().contains("and 2450 more; --json prints the first 1000\n"));
        // What is kept in a file goes on being counted.
        let kept = serde_json::to_vec(&report).expect("written");
        let mut read: Report = serde_json::from_slice(&kept).expect("read");
        assert_eq!(read, report);
        read.extend(report.findings.drain(..2));
        assert_eq!(read.count(), 2_502);
    }
}
