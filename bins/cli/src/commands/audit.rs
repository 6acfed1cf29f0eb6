mod export;
mod filter;
mod ls;
mod seen;
mod tail;
mod verify;

use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Subcommand};

/// The audit log of the organisation: look, follow, take it out, verify what was taken out
#[derive(Args)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Subcommand)]
enum AuditCommand {
    Ls(ls::LsArgs),
    Tail(tail::TailArgs),
    Export(export::ExportArgs),
    Verify(verify::VerifyArgs),
}

pub(crate) async fn run(args: AuditArgs, context: &Context) -> Result<(), Failure> {
    match args.command {
        AuditCommand::Ls(args) => ls::run(args, context).await,
        AuditCommand::Tail(args) => tail::run(args, context).await,
        AuditCommand::Export(args) => export::run(args, context).await,
        AuditCommand::Verify(args) => verify::run(&args, context),
    }
}
