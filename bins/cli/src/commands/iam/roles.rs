use super::named::{CreateArgs, DeleteArgs, GetArgs, LsArgs};
use super::objects::{self, NAMED};
use crate::context::Context;
use crate::failure::Failure;
use clap::Subcommand;

#[derive(Subcommand)]
pub(super) enum RolesCommand {
    /// List roles
    Ls(LsArgs),
    /// Show a role
    Get(GetArgs),
    /// Make a role
    Create(CreateArgs),
    /// Delete a role
    Delete(DeleteArgs),
}

pub(super) async fn run(command: RolesCommand, context: &Context) -> Result<(), Failure> {
    let roles = context.client()?.iam().roles();
    match command {
        RolesCommand::Ls(args) => objects::list(context, &roles.list(&args.into()).await?, NAMED),
        RolesCommand::Get(args) => objects::show(context, &roles.get(&args.name).await?),
        RolesCommand::Create(args) => objects::show(context, &roles.create(&args.into()).await?),
        RolesCommand::Delete(args) => {
            objects::delete(context, "role", &args.name, args.yes, roles.delete(&args.name)).await
        }
    }
}
