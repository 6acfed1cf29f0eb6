use super::{describe, pairs, path};
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use clap::Args;
use std::collections::BTreeMap;
use strongroom_api::PatchSecret;

/// Change the description, labels and annotations of a secret, and how many versions are kept
#[derive(Args)]
pub(crate) struct PatchArgs {
    /// The secret
    #[arg(value_name = "PATH", value_parser = path::secret)]
    path: String,
    #[command(flatten)]
    changes: Changes,
}

/// At least one change.
#[derive(Args)]
#[group(required = true, multiple = true)]
struct Changes {
    /// A new description; an empty one takes it away
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Set a label; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pairs::pair)]
    label: Vec<(String, String)>,
    /// Take a label away; may be repeated
    #[arg(long, value_name = "NAME")]
    remove_label: Vec<String>,
    /// Set an annotation; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pairs::pair)]
    annotation: Vec<(String, String)>,
    /// Take an annotation away; may be repeated
    #[arg(long, value_name = "NAME")]
    remove_annotation: Vec<String>,
    /// Keep at most so many active versions: each put destroys the oldest beyond it; 0 keeps all again
    #[arg(long, value_name = "VERSIONS")]
    max_active_versions: Option<u32>,
}

pub(crate) async fn run(args: PatchArgs, context: &Context) -> Result<(), Failure> {
    let Changes { description, label, remove_label, annotation, remove_annotation, max_active_versions } = args.changes;
    let patch = PatchSecret {
        description: description.map(|text| Some(text).filter(|text| !text.is_empty())),
        labels: merged(label, remove_label)?,
        annotations: merged(annotation, remove_annotation)?,
        max_active_versions: max_active_versions.map(|most| Some(most).filter(|most| *most > 0)),
    };
    let secret = context.secrets().await?.patch(&args.path, &patch).await?;
    output::show(context.terminal, &secret, || describe::fields(&secret))
}

type Merged = Option<Option<BTreeMap<String, Option<String>>>>;

fn merged(set: Vec<(String, String)>, remove: Vec<String>) -> Result<Merged, Failure> {
    if set.is_empty() && remove.is_empty() {
        return Ok(None);
    }
    let mut changes: BTreeMap<String, Option<String>> = BTreeMap::new();
    let all = set.into_iter().map(|(name, value)| (name, Some(value)));
    for (name, value) in all.chain(remove.into_iter().map(|name| (name, None))) {
        if changes.contains_key(&name) {
            return Err(Failure::usage(format!("{name} is named twice")).hint("set it or take it away, once"));
        }
        changes.insert(name, value);
    }
    Ok(Some(Some(changes)))
}
