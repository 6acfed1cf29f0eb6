use super::path;
use crate::context::Context;
use crate::destination::OutputArg;
use crate::environment::names;
use crate::failure::{Exit, Failure};
use crate::formats::{Buffer, Entry, Manifests, write};
use crate::output;
use crate::progress::Progress;
use crate::transfer::gather;
use clap::{Args, ValueEnum};
use serde_json::json;

/// Write all secrets below a directory, and the one of its name, into a file
///
/// The values stand in the file as plain text; it is made for its owner alone, whole or not at all. `import` reads every format.
#[derive(Args)]
pub(crate) struct ExportArgs {
    /// The directory, with the secret of its name unless it ends with a slash; or a secret
    #[arg(value_name = "PATH", value_parser = path::below)]
    path: path::Below,
    /// How it is written
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    format: ExportFormat,
    #[command(flatten)]
    output: OutputArg,
    /// Show the values on the terminal
    #[arg(long)]
    reveal: bool,
    /// The namespace of Kubernetes Secrets
    #[arg(long, value_name = "NAMESPACE", value_parser = namespace)]
    namespace: Option<String>,
    /// What the names of dotenv begin with
    #[arg(long, value_name = "PREFIX", default_value = "", value_parser = names::prefix, hide_default_value = true)]
    prefix: String,
    /// Leave out what is missing or can't be revealed
    #[arg(long)]
    allow_missing: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// NAME=value lines, each below a comment with its path
    Dotenv,
    /// An object of paths and values
    Json,
    /// The same in YAML
    Yaml,
    /// A Secret manifest for each directory, and for each secret with named values
    #[value(name = "k8s", alias = "kubernetes")]
    Kubernetes,
}

fn namespace(text: &str) -> Result<String, &'static str> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(1..=63).contains(&text.len()) || !text.bytes().all(is_allowed) || text.starts_with('-') || text.ends_with('-')
    {
        return Err("1 to 63 small letters, digits and -, neither first nor last");
    }
    Ok(text.to_owned())
}

pub(crate) async fn run(args: ExportArgs, context: &Context) -> Result<(), Failure> {
    if args.namespace.is_some() && args.format != ExportFormat::Kubernetes {
        return Err(Failure::usage("only --format k8s has namespaces").hint("leave --namespace out"));
    }
    if !args.prefix.is_empty() && args.format != ExportFormat::Dotenv {
        return Err(Failure::usage("only --format dotenv makes names").hint("leave --prefix out"));
    }
    if context.terminal.json && args.output.to.file().is_none() && args.format != ExportFormat::Json {
        return Err(Failure::usage("--json and --format say different things of standard output")
            .hint("leave one of them out, or write a file with --output FILE"));
    }
    if context.terminal.writing_to(&args.output.to).stdout && !args.reveal {
        return Err(Failure::usage("standard output is a terminal, and everybody behind you could read the values")
            .hint("write them into a file with --output FILE, or show them with --reveal"));
    }
    let secrets = context.secrets().await?;
    let progress = Progress::begin(context.terminal, "revealing", 0);
    let gathered = gather::below(&secrets, &args.path, &progress).await?;
    drop(progress);
    gather::check(&gathered.refused, args.allow_missing, "nothing was written")?;
    let left_out = gathered.refused.len();
    let revealed = gathered.revealed.into_iter();
    let entries: Vec<Entry> = revealed.map(|one| Entry { path: one.path, value: one.value, place: None }).collect();
    let written = text(&args, &entries).map_err(|wrong| {
        let other = if args.format == ExportFormat::Dotenv { "--prefix makes other names, " } else { "" };
        Failure::usage(wrong).hint(format!("nothing was written; {other}--format json and yaml take every name"))
    })?;
    let count = entries.len();
    args.output.to.write(written.bytes())?;
    if let Some(file) = args.output.to.file() {
        let done = json!({"file": file.display().to_string(), "secrets": count, "leftOut": left_out});
        output::done(context.terminal, &done, &format!("Wrote {count} secrets to {}.", file.display()))?;
    }
    if left_out > 0 {
        return Err(Failure::new(Exit::Partly, format!("{left_out} secrets were left out"))
            .hint("they can't be revealed; without --allow-missing it says why"));
    }
    Ok(())
}

fn text(args: &ExportArgs, entries: &[Entry]) -> Result<Buffer, String> {
    match args.format {
        ExportFormat::Dotenv => write::dotenv(entries, &args.prefix),
        ExportFormat::Json => Ok(write::json(entries)),
        ExportFormat::Yaml => Ok(write::yaml(entries)),
        ExportFormat::Kubernetes => {
            write::kubernetes(entries, &Manifests { root: &args.path.directory, namespace: args.namespace.as_deref() })
        }
    }
}
