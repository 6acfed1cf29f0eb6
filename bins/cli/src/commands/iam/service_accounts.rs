use super::named::{CreateArgs, DeleteArgs, GetArgs, LsArgs, UpdateArgs};
use super::objects::{self, NAMED};
use crate::context::Context;
use crate::failure::Failure;
use clap::Subcommand;

#[derive(Subcommand)]
pub(super) enum ServiceAccountsCommand {
    /// List service accounts
    Ls(LsArgs),
    /// Show a service account
    Get(GetArgs),
    /// Make a service account
    Create(CreateArgs),
    /// Change a service account
    Update(UpdateArgs),
    /// Delete a service account
    Delete(DeleteArgs),
}

pub(super) async fn run(command: ServiceAccountsCommand, context: &Context) -> Result<(), Failure> {
    let service_accounts = context.client()?.iam().service_accounts();
    match command {
        ServiceAccountsCommand::Ls(args) => objects::list(context, &service_accounts.list(&args.into()).await?, NAMED),
        ServiceAccountsCommand::Get(args) => objects::show(context, &service_accounts.get(&args.name).await?),
        ServiceAccountsCommand::Create(args) => objects::show(context, &service_accounts.create(&args.into()).await?),
        ServiceAccountsCommand::Update(args) => {
            let (name, change) = args.into_change();
            objects::show(context, &service_accounts.update(&name, &change).await?)
        }
        ServiceAccountsCommand::Delete(args) => {
            objects::delete(context, "service account", &args.name, args.yes, service_accounts.delete(&args.name)).await
        }
    }
}
