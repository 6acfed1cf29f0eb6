use super::named::Described;
use super::objects;
use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use strongroom_api::NewBinding;

#[derive(Subcommand)]
pub(super) enum BindingsCommand {
    /// List who has a role
    Ls(OfRole),
    /// Give a role to a user, a team or a service account
    Create(CreateArgs),
    /// Take a role away from who has it by this binding
    Delete(DeleteArgs),
}

#[derive(Args)]
pub(super) struct OfRole {
    /// The role, by slug or identity
    #[arg(value_name = "ROLE")]
    role: String,
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// The role, by slug or identity
    #[arg(value_name = "ROLE")]
    role: String,
    #[command(flatten)]
    subject: Subject,
    /// In this project alone, by slug or identity; may be repeated [default: the organisation and all its projects]
    #[arg(long, value_name = "PROJECT")]
    scope: Vec<String>,
    /// What it is called [default: as the role]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    described: Described,
}

/// Who gets the role.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Subject {
    /// To this user, by identity
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// To the members of this team, by slug or identity
    #[arg(long, value_name = "TEAM")]
    team: Option<String>,
    /// To this service account, by slug or identity
    #[arg(long, value_name = "ACCOUNT")]
    service_account: Option<String>,
}

#[derive(Args)]
pub(super) struct DeleteArgs {
    /// The role, by slug or identity
    #[arg(value_name = "ROLE")]
    role: String,
    /// The binding, by identity
    #[arg(value_name = "BINDING")]
    binding: String,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn run(command: BindingsCommand, context: &Context) -> Result<(), Failure> {
    let iam = context.client()?.iam();
    match command {
        BindingsCommand::Ls(args) => {
            let columns = [
                ("IDENTITY", "/identity"),
                ("NAME", "/name"),
                ("USER", "/user"),
                ("TEAM", "/team"),
                ("SERVICE ACCOUNT", "/serviceAccount"),
                ("PROJECTS", "/scopes"),
            ];
            objects::list(context, &iam.bindings(args.role).list().await?, columns)
        }
        BindingsCommand::Create(args) => {
            // Bodies take identities only.
            let team = match args.subject.team {
                Some(team) => Some(iam.teams().get(&team).await?.named.identity),
                None => None,
            };
            let service_account = match args.subject.service_account {
                Some(account) => Some(iam.service_accounts().get(&account).await?.named.identity),
                None => None,
            };
            let (labels, annotations) = (args.described.labels(), args.described.annotations());
            let binding = NewBinding {
                name: args.name.unwrap_or_else(|| args.role.clone()),
                description: args.described.description,
                labels,
                annotations,
                user_identity: args.subject.user,
                team_identity: team,
                service_account_identity: service_account,
                scopes: Some(args.scope).filter(|scopes| !scopes.is_empty()),
            };
            objects::show(context, &iam.bindings(args.role).create(&binding).await?)
        }
        BindingsCommand::Delete(args) => {
            let bindings = iam.bindings(args.role);
            objects::delete(context, "binding", &args.binding, args.yes, bindings.delete(&args.binding)).await
        }
    }
}
