use super::named::{DeleteArgs, LsArgs};
use super::objects;
use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use strongroom_api::{NewOrganisationMember, UpdateOrganisationMember};

#[derive(Subcommand)]
pub(super) enum MembershipsCommand {
    /// List the members of the organisation
    Ls(LsArgs),
    /// Make a user a member
    Create(CreateArgs),
    /// Make a member an owner, or an owner a member
    Update(UpdateArgs),
    /// Take a member out of the organisation
    Delete(DeleteArgs),
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// The user, by identity
    #[arg(value_name = "USER")]
    user: String,
    /// What they are in it [default: MEMBER]
    #[arg(long, value_name = "ROLE", value_parser = ["OWNER", "MEMBER"], ignore_case = true)]
    role: Option<String>,
}

#[derive(Args)]
pub(super) struct UpdateArgs {
    /// The membership, by identity
    #[arg(value_name = "MEMBERSHIP")]
    membership: String,
    /// What they are in it
    #[arg(long, value_name = "ROLE", value_parser = ["OWNER", "MEMBER"], ignore_case = true)]
    role: String,
}

pub(super) async fn run(command: MembershipsCommand, context: &Context) -> Result<(), Failure> {
    let memberships = context.client()?.iam().memberships();
    match command {
        MembershipsCommand::Ls(args) => {
            let columns = [("IDENTITY", "/identity"), ("USER", "/user"), ("ROLE", "/role"), ("SINCE", "/createdAt")];
            objects::list(context, &memberships.list(&args.into()).await?, columns)
        }
        MembershipsCommand::Create(args) => {
            let member = NewOrganisationMember {
                user_identity: args.user,
                role: args.role.map(|role| role.to_ascii_uppercase()),
            };
            objects::show(context, &memberships.create(&member).await?)
        }
        MembershipsCommand::Update(args) => {
            let change = UpdateOrganisationMember { role: args.role.to_ascii_uppercase() };
            objects::show(context, &memberships.update(&args.membership, &change).await?)
        }
        MembershipsCommand::Delete(args) => {
            objects::delete(context, "membership", &args.name, args.yes, memberships.delete(&args.name)).await
        }
    }
}
