use super::named::{CreateArgs, DeleteArgs, GetArgs, LsArgs, UpdateArgs};
use super::objects::{self, NAMED};
use crate::context::Context;
use crate::failure::Failure;
use clap::Subcommand;

#[derive(Subcommand)]
pub(super) enum TeamsCommand {
    /// List teams
    Ls(LsArgs),
    /// Show a team
    Get(GetArgs),
    /// Make a team
    Create(CreateArgs),
    /// Change a team
    Update(UpdateArgs),
    /// Delete a team
    Delete(DeleteArgs),
}

pub(super) async fn run(command: TeamsCommand, context: &Context) -> Result<(), Failure> {
    let teams = context.client()?.iam().teams();
    match command {
        TeamsCommand::Ls(args) => objects::list(context, &teams.list(&args.into()).await?, NAMED),
        TeamsCommand::Get(args) => objects::show(context, &teams.get(&args.name).await?),
        TeamsCommand::Create(args) => objects::show(context, &teams.create(&args.into()).await?),
        TeamsCommand::Update(args) => {
            let (name, change) = args.into_change();
            objects::show(context, &teams.update(&name, &change).await?)
        }
        TeamsCommand::Delete(args) => {
            objects::delete(context, "team", &args.name, args.yes, teams.delete(&args.name)).await
        }
    }
}
