use super::objects;
use super::once::{Once, variables};
use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use strongroom_api::NewAccessCredential;

#[derive(Subcommand)]
pub(super) enum CredentialsCommand {
    /// List the access credentials of a service account, without their secrets
    Ls(OfAccount),
    /// Make an access credential; its secret is shown this once, as variables of an environment
    Create(CreateArgs),
    /// Delete an access credential: it opens nothing from then on
    Delete(DeleteArgs),
}

#[derive(Args)]
pub(super) struct OfAccount {
    /// The service account, by slug or identity
    #[arg(value_name = "ACCOUNT")]
    account: String,
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// The service account, by slug or identity
    #[arg(value_name = "ACCOUNT")]
    account: String,
    /// What it is called
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Describes it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// api:read or api:write; may be repeated [default: both]
    #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
    scope: Vec<String>,
    /// When it ends, as 2026-12-31T00:00:00Z [default: never]
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    #[command(flatten)]
    once: Once,
}

#[derive(Args)]
pub(super) struct DeleteArgs {
    /// The service account, by slug or identity
    #[arg(value_name = "ACCOUNT")]
    account: String,
    /// The access credential, by identity
    #[arg(value_name = "CREDENTIAL")]
    credential: String,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn run(command: CredentialsCommand, context: &Context) -> Result<(), Failure> {
    let iam = context.client()?.iam();
    match command {
        CredentialsCommand::Ls(args) => {
            let columns = [
                ("IDENTITY", "/identity"),
                ("NAME", "/name"),
                ("ACCESS KEY", "/accessKey"),
                ("SCOPES", "/scopes"),
                ("EXPIRES", "/expiresAt"),
            ];
            objects::list(context, &iam.access_credentials(args.account).list().await?, columns)
        }
        CredentialsCommand::Create(args) => create(args, context).await,
        CredentialsCommand::Delete(args) => {
            let credentials = iam.access_credentials(args.account);
            objects::delete(
                context,
                "access credential",
                &args.credential,
                args.yes,
                credentials.delete(&args.credential),
            )
            .await
        }
    }
}

async fn create(args: CreateArgs, context: &Context) -> Result<(), Failure> {
    let handover = args.once.prepare(context)?;
    let wanted = NewAccessCredential {
        name: args.name,
        description: args.description,
        expires_at: args.expires,
        scopes: Some(args.scope).filter(|scopes| !scopes.is_empty()),
    };
    let made = context.client()?.iam().access_credentials(args.account).create(&wanted).await?;
    let lines = variables(&[
        ("STRONGROOM_ACCESS_KEY", &made.access_key),
        ("STRONGROOM_ACCESS_SECRET", made.access_secret.as_str()),
    ])?;
    handover.give(&made, &lines, &made.identity)
}
