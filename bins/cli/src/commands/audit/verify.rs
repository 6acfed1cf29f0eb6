mod export;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Look, Table};
use crate::source::Source;
use crate::terminal::Terminal;
use aws_lc_rs::signature::ED25519_PUBLIC_KEY_LEN;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use clap::builder::TypedValueParser as _;
use export::Report;
use std::path::PathBuf;

/// The public key of an Ed25519 pair.
type PublicKey = [u8; ED25519_PUBLIC_KEY_LEN];

/// Where a public key is.
#[derive(Clone)]
enum Key {
    Here(PublicKey),
    In(Source),
}

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
    #[arg(long, value_name = "BASE64|FILE", value_parser = clap::builder::StringValueParser::new().map(Key::from),
        value_hint = clap::ValueHint::FilePath)]
    key: Vec<Key>,
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        decoded(&text).map_or_else(|| Self::In(PathBuf::from(text).into()), Self::Here)
    }
}

impl Key {
    fn read(&self, terminal: Terminal) -> Result<PublicKey, Failure> {
        const HINT: &str = "an export's first line has the public keys; the operator tells which to trust";
        let source = match self {
            Self::Here(key) => return Ok(*key),
            Self::In(source) => source,
        };
        let read = source.read(terminal).map_err(|failure| {
            Failure::usage("--key is neither a public key in base64 nor a file that has one")
                .hint(HINT)
                .because(failure)
        })?;
        let key = read.expose_text().and_then(decoded);
        key.ok_or_else(|| Failure::usage(format!("{source} holds no public key in base64")).hint(HINT))
    }
}

fn decoded(text: &str) -> Option<PublicKey> {
    STANDARD.decode(text.trim()).ok()?.try_into().ok()
}

pub(super) fn run(args: &VerifyArgs, context: &Context) -> Result<(), Failure> {
    let keys = args.key.iter().filter(|key| matches!(key, Key::In(Source::Stdin))).count();
    if keys + usize::from(args.file == Source::Stdin) > 1 {
        return Err(Failure::usage("standard input can be the export or one key, not more than that")
            .hint("name a file for the others"));
    }
    let trusted = args.key.iter().map(|key| key.read(context.terminal)).collect::<Result<Vec<_>, _>>()?;
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
