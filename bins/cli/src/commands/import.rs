use super::path;
use super::put::key;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::formats::{self, Format};
use crate::output;
use crate::progress::Progress;
use crate::source::Source;
use crate::transfer::place::{Places, place};
use crate::transfer::report::Report;
use crate::transfer::write::{OnConflict, Step, plan, write};
use clap::Args;
use std::collections::BTreeMap;
use strongroom_client::Plain;

/// The largest source, in bytes.
const LARGEST: usize = 32 * 1024 * 1024;

/// How many paths a message names.
const NAMED: usize = 10;

/// Write the secrets of a file: exports of this program, dotenv, JSON, YAML, Kubernetes, Vault, AWS
///
/// The whole file is read and checked, and compared with what is there, before anything is written. What is there with the same value
/// stays as it is: when an import ends in the middle, the same command again goes on.
#[derive(Args)]
pub(crate) struct ImportArgs {
    /// The file; - is standard input
    #[arg(value_name = "SOURCE", value_hint = clap::ValueHint::FilePath)]
    source: Source,
    /// Below this directory; of a source that is one secret without a name: at this path
    #[arg(long, value_name = "PATH", value_parser = path::directory)]
    to: Option<String>,
    /// Only what is below this directory in the source, and without it
    #[arg(long, value_name = "PATH")]
    from: Option<String>,
    /// How the source is written
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    format: Format,
    /// What happens when a secret is there with another value
    #[arg(long, value_name = "WHAT", default_value = "fail")]
    on_conflict: OnConflict,
    /// The KMS key of new secrets, by slug or identity [env: STRONGROOM_KMS_KEY; default: the region's only fitting one]
    #[arg(long, value_name = "KEY")]
    kms_key: Option<String>,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(args: ImportArgs, context: &Context) -> Result<(), Failure> {
    let name = &args.source.to_string();
    let read = args.source.read_at_most(LARGEST, "import it in parts", context.terminal)?;
    let source = formats::read(name, text(&read, name)?, args.format).map_err(|wrong| wrong.of(name))?;
    drop(read);
    let wanted = place(source.entries, name, &Places { from: args.from.as_deref(), to: args.to.as_deref() })?;
    for note in &source.notes {
        output::note(note);
    }
    if wanted.is_empty() {
        return Err(
            Failure::usage(format!("{name} holds no secret")).hint("look at --from and --format; nothing was written")
        );
    }
    let secrets = context.secrets().await?;
    let progress = Progress::begin(context.terminal, "comparing", wanted.len() as u64);
    let steps = plan(&secrets, &wanted, args.on_conflict, &progress).await?;
    drop(progress);
    if args.dry_run {
        let mut report = Report::default();
        for (path, step) in &steps {
            report.add(path, step.planned());
        }
        report.show_plan(context)?;
        return check(&steps);
    }
    check(&steps)?;
    let makes = steps.values().any(|step| matches!(step, Step::Create | Step::Try));
    let key = if makes { key::choose(context, args.kms_key.as_deref()).await? } else { String::new() };
    write(context, &secrets, &key, wanted, steps, args.on_conflict).await.finish(context)
}

fn check(steps: &BTreeMap<String, Step>) -> Result<(), Failure> {
    let conflicts: Vec<&str> =
        steps.iter().filter(|(_, step)| matches!(step, Step::Conflict)).map(|(path, _)| path.as_str()).collect();
    if conflicts.is_empty() {
        return Ok(());
    }
    let more = if conflicts.len() > NAMED { ", …" } else { "" };
    let named: Vec<&str> = conflicts.iter().copied().take(NAMED).collect();
    let message = format!(
        "{} secrets are there with another value, nothing was written: {}{more}",
        conflicts.len(),
        named.join(", ")
    );
    Err(Failure::new(Exit::Conflict, message)
        .hint("--on-conflict skip leaves them as they are, --on-conflict update gives them a new version"))
}

fn text<'a>(read: &'a Plain, name: &str) -> Result<&'a str, Failure> {
    let bytes = read.expose();
    core::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        Failure::usage(format!("{name}, line {line}: it is no text in UTF-8")).hint("nothing was written")
    })
}
