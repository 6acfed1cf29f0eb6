use crate::context::Context;
use crate::failure::Failure;
use crate::prompt;
use crate::transfer::relocate::{Plan, RelocateArgs};
use clap::Args;

/// Move a secret, or everything below a directory, with all active versions
///
/// Each source is deleted when its copy was revealed and is the same: at every moment a secret is whole at one place at least. A move
/// that ended in the middle goes on by the same command.
#[derive(Args)]
pub(crate) struct MvArgs {
    #[command(flatten)]
    what: RelocateArgs,
    /// Only the current version: the older ones are deleted for good
    #[arg(long)]
    current_only: bool,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

pub(crate) async fn run(args: MvArgs, context: &Context) -> Result<(), Failure> {
    let plan = args.what.plan(context, !args.current_only, true).await?;
    if args.what.is_dry_run() {
        return plan.dry_run(context);
    }
    plan.check()?;
    prompt::confirm(&question(&plan, args.current_only), args.yes)?;
    plan.carry_out(context, true).await.finish(context)
}

fn question(plan: &Plan, current_only: bool) -> String {
    let what = match plan.copies.as_slice() {
        [copy] => format!("Move {} to {}", copy.source.path, copy.to),
        copies => format!("Move {} secrets", copies.len()),
    };
    let remedy = if current_only { " (without --current-only they move along)" } else { "" };
    match plan.copies.iter().filter_map(|copy| copy.left_behind).sum::<usize>() {
        0 => format!("{what}?"),
        left => format!("{what}, and delete {left} older versions for good{remedy}?"),
    }
}
