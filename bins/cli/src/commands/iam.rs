mod bindings;
mod credentials;
mod federated_identities;
mod members;
mod memberships;
mod named;
mod objects;
mod once;
mod projects;
mod providers;
mod roles;
mod rules;
mod service_accounts;
mod teams;
mod tokens;
mod users;

use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Subcommand};

/// Who may do what: roles, rules and bindings, people and teams, service accounts and their credentials, projects
#[derive(Args)]
pub(crate) struct IamArgs {
    #[command(subcommand)]
    command: IamCommand,
}

#[derive(Subcommand)]
enum IamCommand {
    /// Roles: rules under a name
    #[command(subcommand)]
    Roles(roles::RolesCommand),
    /// Rules of a role: what it allows
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// Bindings of a role: who has it
    #[command(subcommand)]
    Bindings(bindings::BindingsCommand),
    /// Teams
    #[command(subcommand)]
    Teams(teams::TeamsCommand),
    /// Members of a team
    #[command(subcommand)]
    Members(members::MembersCommand),
    /// Members of the organisation
    #[command(subcommand)]
    Memberships(memberships::MembershipsCommand),
    /// Users
    #[command(subcommand)]
    Users(users::UsersCommand),
    /// Service accounts: workloads
    #[command(subcommand)]
    ServiceAccounts(service_accounts::ServiceAccountsCommand),
    /// Access credentials of a service account
    #[command(subcommand)]
    Credentials(credentials::CredentialsCommand),
    /// Personal access tokens
    #[command(subcommand)]
    Tokens(tokens::TokensCommand),
    /// Federated identity providers: issuers whose tokens are exchanged
    #[command(subcommand)]
    Providers(providers::ProvidersCommand),
    /// Federated identities: whose tokens become which service account
    #[command(subcommand)]
    FederatedIdentities(federated_identities::FederatedIdentitiesCommand),
    /// Projects: scopes of their own for secrets and keys
    #[command(subcommand)]
    Projects(projects::ProjectsCommand),
}

pub(crate) async fn run(args: IamArgs, context: &Context) -> Result<(), Failure> {
    match args.command {
        IamCommand::Roles(command) => roles::run(command, context).await,
        IamCommand::Rules(command) => rules::run(command, context).await,
        IamCommand::Bindings(command) => bindings::run(command, context).await,
        IamCommand::Teams(command) => teams::run(command, context).await,
        IamCommand::Members(command) => members::run(command, context).await,
        IamCommand::Memberships(command) => memberships::run(command, context).await,
        IamCommand::Users(command) => users::run(command, context).await,
        IamCommand::ServiceAccounts(command) => service_accounts::run(command, context).await,
        IamCommand::Credentials(command) => credentials::run(command, context).await,
        IamCommand::Tokens(command) => tokens::run(command, context).await,
        IamCommand::Providers(command) => providers::run(command, context).await,
        IamCommand::FederatedIdentities(command) => federated_identities::run(command, context).await,
        IamCommand::Projects(command) => projects::run(command, context).await,
    }
}
