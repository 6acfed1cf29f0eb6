use super::objects;
use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use strongroom_api::NewRule;

#[derive(Subcommand)]
pub(super) enum RulesCommand {
    /// List the rules of a role
    Ls(OfRole),
    /// Add a rule to a role: these permissions on these objects
    Create(CreateArgs),
    /// Take a rule away
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
    /// On objects of this kind, such as secret or kms_key; may be repeated
    #[arg(long, value_name = "TYPE", required = true, value_delimiter = ',')]
    resource: Vec<String>,
    /// This is allowed, such as read, getSecretValue or *; may be repeated
    #[arg(long, value_name = "PERMISSION", required = true, value_delimiter = ',')]
    permission: Vec<String>,
    /// On these alone: secrets by path pattern, as /app/prod/*, others by identity or slug; may be repeated [default: all]
    #[arg(long, value_name = "PATTERN")]
    identity: Vec<String>,
    /// Says what it is for
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Args)]
pub(super) struct DeleteArgs {
    /// The role, by slug or identity
    #[arg(value_name = "ROLE")]
    role: String,
    /// The rule, by identity
    #[arg(value_name = "RULE")]
    rule: String,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn run(command: RulesCommand, context: &Context) -> Result<(), Failure> {
    let iam = context.client()?.iam();
    match command {
        RulesCommand::Ls(args) => {
            let role = iam.roles().get(&args.role).await?;
            let columns = [
                ("IDENTITY", "/identity"),
                ("RESOURCES", "/resources"),
                ("PERMISSIONS", "/permissions"),
                ("ON", "/resourceIdentities"),
                ("NOTE", "/note"),
            ];
            objects::list(context, &role.rules, columns)
        }
        RulesCommand::Create(args) => {
            let rule = NewRule {
                resources: Some(args.resource),
                permissions: Some(args.permission),
                resource_identities: Some(args.identity),
                note: args.note,
            };
            objects::show(context, &iam.rules(args.role).create(&rule).await?)
        }
        RulesCommand::Delete(args) => {
            let rules = iam.rules(args.role);
            objects::delete(context, "rule", &args.rule, args.yes, rules.delete(&args.rule)).await
        }
    }
}
