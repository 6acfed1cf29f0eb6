use super::{pairs, path, times};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Look, Table};
use clap::Args;
use futures_util::TryStreamExt;
use serde_json::json;
use std::collections::BTreeMap;
use strongroom_api::Secret;
use strongroom_client::{Entry, Secrets};

/// List what stands in a directory, or everything below it
#[derive(Args)]
pub(crate) struct LsArgs {
    /// The directory; or a secret
    #[arg(value_name = "PATH", default_value = "/", value_parser = path::directory)]
    directory: String,
    /// List everything below, at any depth
    #[arg(long, short)]
    recursive: bool,
    /// Tell version, key, labels and time of the last change
    #[arg(long, short)]
    long: bool,
    /// Only secrets with this label, at any depth; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pairs::pair)]
    label: Vec<(String, String)>,
}

pub(crate) async fn run(args: LsArgs, context: &Context) -> Result<(), Failure> {
    let secrets = context.secrets().await?;
    let everything_below = args.recursive || !args.label.is_empty();
    let entries: Vec<Entry> = if everything_below {
        let labels: BTreeMap<_, _> = args.label.iter().cloned().collect();
        let listed: Vec<Secret> = secrets.list_labelled(&args.directory, &labels).try_collect().await?;
        listed.into_iter().map(|secret| Entry::Secret(Box::new(secret))).collect()
    } else {
        secrets.browse(&args.directory).try_collect().await?
    };
    let entries = match entries.is_empty() && args.directory != "/" && args.label.is_empty() {
        true => vec![Entry::Secret(Box::new(itself(&secrets, &args.directory).await?))],
        false => entries,
    };
    show(context, &args, everything_below, &entries)
}

/// The secret at the path that was named as a directory, below which nothing is.
pub(super) async fn itself(secrets: &Secrets, directory: &str) -> Result<Secret, Failure> {
    match secrets.describe(directory.trim_end_matches('/')).await {
        Ok(secret) => Ok(secret),
        Err(error) if error.is_not_found() || error.status() == Some(403) => {
            let message = format!("there is nothing at or below {directory} that you may read");
            Err(Failure::new(Exit::NotFound, message).hint("`strongroom tree` shows all that you may read"))
        }
        Err(error) => Err(error.into()),
    }
}

fn show(context: &Context, args: &LsArgs, everything_below: bool, entries: &[Entry]) -> Result<(), Failure> {
    let terminal = context.terminal;
    if terminal.json {
        let secrets: Vec<&Secret> = entries.iter().filter_map(secret_of).collect();
        if everything_below {
            return output::json(terminal, &secrets);
        }
        let directories = entries.iter().filter(|entry| secret_of(entry).is_none()).map(Entry::path);
        let directories: Vec<&str> = directories.collect();
        return output::json(terminal, &json!({"path": args.directory, "prefixes": directories, "secrets": secrets}));
    }
    if entries.is_empty() && terminal.stdout {
        output::note("There is nothing here yet that you may read.");
    }
    let table = if args.long { long(entries) } else { short(entries) };
    output::rows(terminal, &table)
}

fn secret_of(entry: &Entry) -> Option<&Secret> {
    match entry {
        Entry::Secret(secret) => Some(secret),
        Entry::Directory(_) => None,
    }
}

fn path_cell(entry: &Entry) -> Cell {
    let look = if secret_of(entry).is_some() { Look::Plain } else { Look::Directory };
    Cell::new(entry.path(), look)
}

fn short(entries: &[Entry]) -> Table {
    let mut table = Table::new(["PATH"]);
    for entry in entries {
        table.row([path_cell(entry)]);
    }
    table
}

fn long(entries: &[Entry]) -> Table {
    let mut table = Table::new(["PATH", "VERSION", "UPDATED", "KMS KEY", "LABELS"]);
    for entry in entries {
        let secret = secret_of(entry);
        let labels = secret.map(|secret| secret.labels.iter().map(|(name, value)| format!("{name}={value}")).collect());
        table.row([
            path_cell(entry),
            secret.map(|secret| secret.current_version.to_string()).unwrap_or_default().into(),
            times::cell(secret.map(|secret| secret.updated_at.as_str())),
            secret.and_then(|secret| secret.kms_key.as_ref()).map(|key| key.slug.as_str()).into(),
            labels.map(|labels: Vec<String>| labels.join(" ")).unwrap_or_default().into(),
        ]);
    }
    table
}
