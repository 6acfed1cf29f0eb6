use crate::context::Context;
use crate::failure::Failure;
use crate::transfer::relocate::RelocateArgs;
use clap::Args;

/// Copy a secret, or everything below a directory, with description, labels, annotations and access policy
///
/// Nothing is written when something else is in the way. What is there and the same stays: a copy that ended in the middle goes on by
/// the same command.
#[derive(Args)]
pub(crate) struct CpArgs {
    #[command(flatten)]
    what: RelocateArgs,
    /// All active versions in their order, instead of the current one
    #[arg(long)]
    history: bool,
}

pub(crate) async fn run(args: CpArgs, context: &Context) -> Result<(), Failure> {
    let plan = args.what.plan(context, args.history, false).await?;
    if args.what.is_dry_run() {
        return plan.dry_run(context);
    }
    plan.check()?;
    plan.carry_out(context, false).await.finish(context)
}
