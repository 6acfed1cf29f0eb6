use super::named::{DeleteArgs, Described, GetArgs, LsArgs};
use super::objects;
use crate::commands::pairs;
use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use strongroom_api::{Json, NewFederatedIdentity, UpdateFederatedIdentity};

#[derive(Subcommand)]
pub(super) enum FederatedIdentitiesCommand {
    /// List federated identities
    Ls(LsArgs),
    /// Show a federated identity
    Get(GetArgs),
    /// Let tokens of a provider become a service account
    Create(CreateArgs),
    /// Change a federated identity; service account, provider and subject stay
    Update(UpdateArgs),
    /// Delete a federated identity: the tokens that it gave open nothing from then on
    Delete(DeleteArgs),
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// What it is called
    #[arg(value_name = "NAME")]
    name: String,
    /// The service account that the tokens become, by slug or identity
    #[arg(long, value_name = "ACCOUNT")]
    service_account: String,
    /// The provider that they are of, by identity
    #[arg(long, value_name = "PROVIDER")]
    provider: String,
    /// Whose tokens: the claim sub, in which * stands for any characters
    #[arg(long, value_name = "SUBJECT")]
    subject: String,
    #[command(flatten)]
    more: More,
}

#[derive(Args)]
pub(super) struct UpdateArgs {
    /// Which one, by slug or identity
    #[arg(value_name = "NAME")]
    name: String,
    /// What it is called from now on
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    #[command(flatten)]
    more: More,
}

#[derive(Args)]
struct More {
    /// An audience that tokens must be for; may be repeated. Without one no token is taken
    #[arg(long, value_name = "AUDIENCE")]
    audience: Vec<String>,
    /// any, all or exact [default: any]
    #[arg(long, value_name = "MODE")]
    audience_match: Option<String>,
    /// What a claim must be; may be repeated
    #[arg(long, value_name = "CLAIM=VALUE", value_parser = pairs::pair)]
    condition: Vec<(String, String)>,
    /// api:read or api:write; may be repeated [default: both]
    #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
    scope: Vec<String>,
    /// active, inactive or revoked
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// When it ends, as 2026-12-31T00:00:00Z [default: never]
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    #[command(flatten)]
    described: Described,
}

impl More {
    fn into_change(self, name: Option<String>) -> UpdateFederatedIdentity {
        let given = |values: Vec<String>| Some(values).filter(|values| !values.is_empty());
        let conditions = self.condition.into_iter().map(|(claim, value)| (claim, Json::Text(value)));
        let conditions: Vec<(String, Json)> = conditions.collect();
        let (labels, annotations) = (self.described.labels(), self.described.annotations());
        UpdateFederatedIdentity {
            name,
            description: self.described.description,
            labels,
            annotations,
            trusted_audiences: given(self.audience),
            audience_match_mode: self.audience_match,
            allowed_scopes: given(self.scope),
            status: self.status,
            expires_at: self.expires,
            conditions: (!conditions.is_empty()).then_some(Json::Map(conditions)),
            ..UpdateFederatedIdentity::default()
        }
    }
}

pub(super) async fn run(command: FederatedIdentitiesCommand, context: &Context) -> Result<(), Failure> {
    let identities = context.client()?.iam().federated_identities();
    match command {
        FederatedIdentitiesCommand::Ls(args) => {
            let columns = [
                ("SLUG", "/slug"),
                ("IDENTITY", "/identity"),
                ("SUBJECT", "/providerSubject"),
                ("PROVIDER", "/provider"),
                ("SERVICE ACCOUNT", "/serviceAccount"),
                ("STATUS", "/status"),
            ];
            objects::list(context, &identities.list(&args.into()).await?, columns)
        }
        FederatedIdentitiesCommand::Get(args) => objects::show(context, &identities.get(&args.name).await?),
        FederatedIdentitiesCommand::Create(args) => {
            // Bodies take identities only.
            let account = context.client()?.iam().service_accounts().get(&args.service_account).await?;
            let change = args.more.into_change(None);
            let identity = NewFederatedIdentity {
                name: args.name,
                description: change.description,
                labels: change.labels,
                annotations: change.annotations,
                service_account_identity: account.named.identity,
                provider_identity: args.provider,
                provider_subject: args.subject,
                trusted_audiences: change.trusted_audiences,
                audience_match_mode: change.audience_match_mode,
                allowed_scopes: change.allowed_scopes,
                status: change.status,
                expires_at: change.expires_at,
                conditions: change.conditions,
            };
            objects::show(context, &identities.create(&identity).await?)
        }
        FederatedIdentitiesCommand::Update(args) => {
            let change = args.more.into_change(args.rename);
            objects::show(context, &identities.update(&args.name, &change).await?)
        }
        FederatedIdentitiesCommand::Delete(args) => {
            objects::delete(context, "federated identity", &args.name, args.yes, identities.delete(&args.name)).await
        }
    }
}
