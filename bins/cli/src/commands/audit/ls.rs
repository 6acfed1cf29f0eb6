use super::filter::{FilterArgs, table};
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use clap::Args;
use futures_util::{StreamExt, TryStreamExt};
use strongroom_api::audit::AuditEntry;

/// Show entries of the audit log, newest first
#[derive(Args)]
pub(super) struct LsArgs {
    /// At most so many
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    filter: FilterArgs,
}

pub(super) async fn run(args: LsArgs, context: &Context) -> Result<(), Failure> {
    let found = context.client()?.audit().entries(&args.filter.into(), args.limit.min(1000));
    let entries: Vec<AuditEntry> = found.take(args.limit as usize).try_collect().await?;
    output::show(context.terminal, &entries, || table(&entries))
}
