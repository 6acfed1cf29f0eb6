//! `strongroomd audit`: whether the audit log is what was signed, and what is needed to tell that elsewhere.

mod anchors;
mod checkpoint;
mod ends;
mod export;
mod findings;
mod key;
mod offline;
mod organisation;
mod progress;
mod status;
mod verify;

use crate::failure::Failure;
use crate::operator::{ServerArgs, TOKEN_HELP};
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(after_help = TOKEN_HELP)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    server: ServerArgs,
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Verify the whole log of the running server, or an export, offline, with the public key alone
    Verify(verify::VerifyArgs),
    /// Take the whole log out as JSON Lines, to be verified elsewhere
    Export(export::ExportArgs),
    /// Print the last checkpoint. Kept where nobody who can write to the database can write, it is an anchor for `verify`
    Checkpoint,
    /// How many streams and records there are, and how far index, checkpoints and sinks are
    Status,
    /// The keys that sign the log
    #[command(subcommand)]
    Key(key::KeyCommand),
}

pub(crate) async fn run(args: AuditArgs) -> Result<(), Failure> {
    let AuditArgs { server, command } = args;
    match command {
        AuditCommand::Verify(args) => verify::run(server, args).await.map_err(Failure::of_verification),
        AuditCommand::Export(args) => export::run(&server.client()?.0, args).await,
        AuditCommand::Checkpoint => checkpoint::run(&server.client()?.0).await,
        AuditCommand::Status => {
            let (client, output) = server.client()?;
            status::run(&client, output).await
        }
        AuditCommand::Key(command) => {
            let (client, output) = server.client()?;
            key::run(&client, output, command).await
        }
    }
}
