use super::path;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::{output, prompt};
use clap::Args;
use serde_json::json;
use std::collections::BTreeSet;

/// Destroy versions of a secret for good: their values can't be had back
#[derive(Args)]
pub(crate) struct DestroyArgs {
    /// The secret
    #[arg(value_name = "PATH", value_parser = path::secret)]
    path: String,
    /// The versions
    #[arg(value_name = "VERSION", required = true, value_parser = clap::value_parser!(u64).range(1..))]
    versions: Vec<u64>,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

pub(crate) async fn run(args: DestroyArgs, context: &Context) -> Result<(), Failure> {
    let DestroyArgs { path, versions, yes } = args;
    let versions: BTreeSet<u64> = versions.into_iter().collect();
    let named = versions.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let what = if versions.len() == 1 { format!("version {named}") } else { format!("versions {named}") };
    let secrets = context.secrets().await?;
    prompt::confirm(&format!("Destroy {what} of {path} for good?"), yes)?;
    let mut destroyed = Vec::new();
    for version in versions {
        if let Err(error) = secrets.destroy(&path, version).await {
            let failure = Failure::from(error);
            return Err(if destroyed.is_empty() {
                failure
            } else {
                let done = destroyed.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
                Failure::new(Exit::Partly, format!("{done} of {path} destroyed, version {version} not"))
                    .hint("the same command again goes on; what is destroyed stays so")
                    .because(failure)
            });
        }
        destroyed.push(version);
    }
    let done = json!({"path": path, "destroyed": destroyed});
    output::done(context.terminal, &done, &format!("Destroyed {what} of {path}."))
}
