use super::wrong::Wrong;
use super::{Source, aws, dotenv, json, kubernetes, vault, yaml};
use crate::formats::tree::Tree;
use clap::ValueEnum;

/// What an import reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Found out from the name and from what stands inside
    Auto,
    /// NAME=value lines
    Dotenv,
    /// An object of paths and values
    Json,
    /// The same in YAML
    Yaml,
    /// Secret manifests of Kubernetes
    #[value(name = "k8s", alias = "kubernetes")]
    Kubernetes,
    /// What `vault kv get -format=json` prints
    Vault,
    /// What `aws secretsmanager get-secret-value` or `batch-get-secret-value` prints
    Aws,
}

/// Reads and checks a whole source.
pub(crate) fn read(name: &str, text: &str, format: Format) -> Result<Source, Wrong> {
    // Some editors begin files so.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(Wrong::new(None, "it is empty"));
    }
    match format {
        Format::Auto => detected(name, text),
        Format::Dotenv => dotenv::read(text),
        Format::Json => json::read(json::parse(text)?),
        Format::Yaml => yaml::read(yaml::parse(text)?, text),
        Format::Kubernetes if is_json(text) => kubernetes::read(vec![json::parse(text)?], text),
        Format::Kubernetes => kubernetes::read(yaml::parse(text)?, text),
        Format::Vault => vault::read(json::parse(text)?),
        Format::Aws => aws::read(json::parse(text)?),
    }
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

fn detected(name: &str, text: &str) -> Result<Source, Wrong> {
    if is_json(text) {
        let tree = json::parse(text)?;
        return if kubernetes::is_manifest(&tree) {
            kubernetes::read(vec![tree], text)
        } else if aws::is_answer(&tree) {
            aws::read(tree)
        } else if vault::is_answer(&tree) || has_answers(&tree) {
            vault::read(tree)
        } else {
            json::read(tree)
        };
    }
    let file = name.rsplit('/').next().unwrap_or(name);
    let is_dotenv = file.ends_with(".env") || file.starts_with(".env");
    let is_yaml = file.ends_with(".yaml") || file.ends_with(".yml");
    if is_dotenv || (!is_yaml && looks_like_dotenv(text)) {
        return dotenv::read(text);
    }
    let documents = yaml::parse(text)?;
    if documents.iter().any(kubernetes::is_manifest) {
        return kubernetes::read(documents, text);
    }
    yaml::read(documents, text)
}

fn has_answers(tree: &Tree) -> bool {
    tree.map().is_some_and(|members| !members.is_empty() && members.iter().all(|(_, member)| vault::is_answer(member)))
}

/// Whether the first line that says something is an assignment.
fn looks_like_dotenv(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let line = lines.next().unwrap_or_default();
    let line = line.strip_prefix("export ").unwrap_or(line);
    line.split_once('=').is_some_and(|(name, _)| {
        let name = name.trim_end();
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    })
}
