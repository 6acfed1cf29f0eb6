use super::named::LsArgs;
use super::objects;
use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use strongroom_api::NewUser;

#[derive(Subcommand)]
pub(super) enum UsersCommand {
    /// List the users of the organisation
    Ls(LsArgs),
    /// Show a user
    Get(GetArgs),
    /// Make a user, and a member of the organisation
    Create(CreateArgs),
}

#[derive(Args)]
pub(super) struct GetArgs {
    /// The user, by identity
    #[arg(value_name = "USER")]
    user: String,
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// What they are called
    #[arg(value_name = "NAME")]
    name: String,
    /// Their address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
}

pub(super) async fn run(command: UsersCommand, context: &Context) -> Result<(), Failure> {
    let users = context.client()?.iam().users();
    match command {
        UsersCommand::Ls(args) => {
            let columns = [("IDENTITY", "/identity"), ("NAME", "/name"), ("EMAIL", "/email"), ("SINCE", "/createdAt")];
            objects::list(context, &users.list(&args.into()).await?, columns)
        }
        UsersCommand::Get(args) => objects::show(context, &users.get(&args.user).await?),
        UsersCommand::Create(args) => {
            let user = NewUser { name: args.name, email: args.email };
            objects::show(context, &users.create(&user).await?)
        }
    }
}
