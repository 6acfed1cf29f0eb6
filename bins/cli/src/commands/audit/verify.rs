mod export;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Look, Table};
use crate::source::Source;
use aws_lc_rs::signature::ED25519_PUBLIC_KEY_LEN;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use core::error::Error as _;
use export::Report;
use std::io::Read;
use std::path::PathBuf;

/// More than this is no file with a public key.
const LONGEST_KEY: u64 = 64 * 1024;

/// The public key of an Ed25519 pair.
#[derive(Clone, Copy)]
struct PublicKey([u8; ED25519_PUBLIC_KEY_LEN]);

/// Verify an export of the organisation's log, without a server
///
/// Checks that it is whole, that each record's hash follows from its bytes and the record before, and the signatures. What that doesn't
/// prove is said: above all that no record is missing, and that the readable entry beside the signed bytes says the same, which
/// `strongroomd audit verify FILE --key KEY` proves too, as it does everything for the operator's export of the whole log.
#[derive(Args)]
pub(super) struct VerifyArgs {
    /// The export; - is standard input
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: Source,
    /// A public key of the log that you trust, in base64, or a file with it; may be repeated
    #[arg(long, value_name = "BASE64|FILE", value_parser = public_key)]
    key: Vec<PublicKey>,
}

fn public_key(text: &str) -> Result<PublicKey, String> {
    let decoded = |text: &str| STANDARD.decode(text.trim()).ok()?.try_into().ok().map(PublicKey);
    if let Some(key) = decoded(text) {
        return Ok(key);
    }
    let no_file = |error: &dyn core::fmt::Display| format!("neither a public key in base64 nor a file: {error}");
    let file = Source::from(PathBuf::from(text)).open().map_err(|failure| match failure.source() {
        Some(error) => no_file(error),
        None => no_file(&failure),
    })?;
    let mut read = String::new();
    file.take(LONGEST_KEY).read_to_string(&mut read).map_err(|error| no_file(&error))?;
    decoded(&read).ok_or_else(|| "the file holds no public key in base64".to_owned())
}

pub(super) fn run(args: &VerifyArgs, context: &Context) -> Result<(), Failure> {
    let trusted: Vec<_> = args.key.iter().map(|key| key.0).collect();
    let report = export::verify(&args.file, &trusted)?;
    output::show(context.terminal, &report, || table(&report))?;
    match report.findings.as_slice() {
        [] => Ok(()),
        [first, ..] => {
            let message = format!("the export is not what was written: {} ({} findings)", first.what, report.wrong);
            Err(Failure::new(Exit::Failed, message)
                .hint("keep it, export again, and ask the operator for `strongroomd audit verify`"))
        }
    }
}

fn table(report: &Report) -> Table {
    let mut fields: Vec<(&'static str, Cell)> = vec![
        ("organisation", report.organisation.as_str().into()),
        ("exported at", report.exported_at.as_str().into()),
        ("records", report.records.into()),
        ("signatures that hold", report.signed.into()),
    ];
    for finding in &report.findings {
        let record = match finding.stream.as_str() {
            "" => String::new(),
            stream => format!(", record {} of {stream}", finding.sequence),
        };
        let text = format!("line {}{record}: {}", finding.line, finding.what);
        fields.push(("wrong", Cell::new(text, Look::Bad)));
    }
    fields.extend(report.not_proven.iter().map(|what| ("not proven", what.as_str().into())));
    let sound = if report.findings.is_empty() { Cell::new("yes", Look::Good) } else { Cell::new("no", Look::Bad) };
    fields.push(("sound", sound));
    Table::of_fields(fields)
}
