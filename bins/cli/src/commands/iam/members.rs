use super::objects;
use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use strongroom_api::NewTeamMember;

#[derive(Subcommand)]
pub(super) enum MembersCommand {
    /// List the members of a team
    Ls(OfTeam),
    /// Add a user to a team
    Create(CreateArgs),
    /// Take a member out of a team
    Delete(DeleteArgs),
}

#[derive(Args)]
pub(super) struct OfTeam {
    /// The team, by slug or identity
    #[arg(value_name = "TEAM")]
    team: String,
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// The team, by slug or identity
    #[arg(value_name = "TEAM")]
    team: String,
    /// The user, by identity
    #[arg(value_name = "USER")]
    user: String,
    /// What they are in it [default: MEMBER]
    #[arg(long, value_name = "ROLE", value_parser = ["OWNER", "ADMIN", "MEMBER"], ignore_case = true)]
    role: Option<String>,
}

#[derive(Args)]
pub(super) struct DeleteArgs {
    /// The team, by slug or identity
    #[arg(value_name = "TEAM")]
    team: String,
    /// The member, by identity
    #[arg(value_name = "MEMBER")]
    member: String,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn run(command: MembersCommand, context: &Context) -> Result<(), Failure> {
    let iam = context.client()?.iam();
    match command {
        MembersCommand::Ls(args) => {
            let team = iam.teams().get(&args.team).await?;
            let columns = [("IDENTITY", "/identity"), ("USER", "/user"), ("ROLE", "/role"), ("SINCE", "/createdAt")];
            objects::list(context, &team.members, columns)
        }
        MembersCommand::Create(args) => {
            let member =
                NewTeamMember { user_identity: args.user, role: args.role.map(|role| role.to_ascii_uppercase()) };
            objects::show(context, &iam.team_members(args.team).create(&member).await?)
        }
        MembersCommand::Delete(args) => {
            let members = iam.team_members(args.team);
            objects::delete(context, "member", &args.member, args.yes, members.delete(&args.member)).await
        }
    }
}
