use super::named::{DeleteArgs, Described, GetArgs, LsArgs};
use super::objects;
use crate::context::Context;
use crate::failure::Failure;
use crate::source::Source;
use crate::terminal::Terminal;
use clap::{Args, Subcommand};
use strongroom_api::{Json, NewIdentityProvider, UpdateIdentityProvider};

#[derive(Subcommand)]
pub(super) enum ProvidersCommand {
    /// List federated identity providers
    Ls(LsArgs),
    /// Show a federated identity provider
    Get(GetArgs),
    /// Make a federated identity provider
    Create(CreateArgs),
    /// Change a federated identity provider; its issuer stays
    Update(UpdateArgs),
    /// Delete a federated identity provider, and its federated identities
    Delete(DeleteArgs),
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// What it is called
    #[arg(value_name = "NAME")]
    name: String,
    /// The issuer, exactly as its tokens name it
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// A file with the issuer's keys (JWKS), instead of asking for them; - is standard input
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    jwks: Option<Source>,
    #[command(flatten)]
    more: More,
}

#[derive(Args)]
pub(super) struct UpdateArgs {
    /// Which one, by identity
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
    /// Where the issuer's keys are [default: where its discovery document says]
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<String>,
    /// active or inactive
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    #[command(flatten)]
    described: Described,
}

pub(super) async fn run(command: ProvidersCommand, context: &Context) -> Result<(), Failure> {
    let providers = context.client()?.iam().identity_providers();
    match command {
        ProvidersCommand::Ls(args) => {
            let columns =
                [("IDENTITY", "/identity"), ("NAME", "/name"), ("ISSUER", "/providerIssuer"), ("STATUS", "/status")];
            objects::list(context, &providers.list(&args.into()).await?, columns)
        }
        ProvidersCommand::Get(args) => objects::show(context, &providers.get(&args.name).await?),
        ProvidersCommand::Create(args) => {
            let provider = new(args, context.terminal)?;
            objects::show(context, &providers.create(&provider).await?)
        }
        ProvidersCommand::Update(args) => {
            let More { jwks_uri, status, described } = args.more;
            let (labels, annotations) = (described.labels(), described.annotations());
            let change = UpdateIdentityProvider {
                name: args.rename,
                description: described.description,
                labels,
                annotations,
                provider_jwks_uri: jwks_uri,
                status,
                ..UpdateIdentityProvider::default()
            };
            objects::show(context, &providers.update(&args.name, &change).await?)
        }
        ProvidersCommand::Delete(args) => {
            objects::delete(context, "provider", &args.name, args.yes, providers.delete(&args.name)).await
        }
    }
}

fn new(args: CreateArgs, terminal: Terminal) -> Result<NewIdentityProvider, Failure> {
    let local_jwks = args.jwks.map(|file| -> Result<Json, Failure> {
        let text = file.read(terminal)?;
        serde_json::from_slice(text.expose()).map_err(|error| {
            Failure::usage(format!("{file} holds no JSON")).hint("mend it; nothing was made").because(error)
        })
    });
    let More { jwks_uri, status, described } = args.more;
    let (labels, annotations) = (described.labels(), described.annotations());
    Ok(NewIdentityProvider {
        name: args.name,
        description: described.description,
        labels,
        annotations,
        provider_issuer: args.issuer,
        provider_jwks_uri: jwks_uri,
        local_jwks: local_jwks.transpose()?,
        status,
    })
}
