use super::{path, times};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Cell, Look, Table};
use clap::Args;
use futures_util::TryStreamExt;
use strongroom_api::SecretVersion;

/// Show the versions of a secret, without their values
#[derive(Args)]
pub(crate) struct HistoryArgs {
    /// The secret
    #[arg(value_name = "PATH", value_parser = path::secret)]
    path: String,
}

pub(crate) async fn run(args: HistoryArgs, context: &Context) -> Result<(), Failure> {
    let versions: Vec<SecretVersion> = context.secrets().await?.history(&args.path).try_collect().await?;
    output::show(context.terminal, &versions, || {
        let mut table = Table::new(["VERSION", "STATUS", "STAGE", "FORMAT", "CREATED", "LAST REVEALED", "DESTROYED"]);
        for version in &versions {
            table.row([
                version.version.into(),
                Cell::status(&version.status),
                Cell::new(version.stage.as_deref().unwrap_or_default(), Look::Strong),
                version.value_format.as_str().into(),
                times::cell(Some(&version.created_at)),
                times::cell(version.last_accessed_at.as_deref()),
                times::cell(version.destroyed_at.as_deref()),
            ]);
        }
        table
    })
}
