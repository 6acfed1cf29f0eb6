use super::objects;
use super::once::Once;
use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use strongroom_api::NewPersonalAccessToken;

#[derive(Subcommand)]
pub(super) enum TokensCommand {
    /// List personal access tokens, without the tokens themselves
    Ls(OfUser),
    /// Make a personal access token; it is shown this once
    Create(CreateArgs),
    /// Delete a personal access token: it opens nothing from then on
    Delete(DeleteArgs),
}

#[derive(Args)]
pub(super) struct OfUser {
    /// Of this user, by identity [default: your own]
    #[arg(long, value_name = "USER")]
    user: Option<String>,
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// What it is called
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    of: OfUser,
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
    /// The token, by identity
    #[arg(value_name = "TOKEN")]
    identity: String,
    #[command(flatten)]
    of: OfUser,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn run(command: TokensCommand, context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        TokensCommand::Ls(args) => {
            let columns = [
                ("IDENTITY", "/identity"),
                ("NAME", "/name"),
                ("SCOPES", "/scopes"),
                ("MADE", "/createdAt"),
                ("EXPIRES", "/expiresAt"),
            ];
            let tokens = match args.user {
                Some(user) => client.iam().user_tokens(user).list().await?,
                None => client.me().tokens().await?,
            };
            objects::list(context, &tokens, columns)
        }
        TokensCommand::Create(args) => create(args, context).await,
        TokensCommand::Delete(args) => {
            let (me, of_user) = (client.me(), args.of.user.map(|user| client.iam().user_tokens(user)));
            let remove = async {
                match of_user {
                    Some(tokens) => tokens.delete(&args.identity).await,
                    None => me.delete_token(&args.identity).await,
                }
            };
            objects::delete(context, "token", &args.identity, args.yes, remove).await
        }
    }
}

async fn create(args: CreateArgs, context: &Context) -> Result<(), Failure> {
    let handover = args.once.prepare(context)?;
    let wanted = NewPersonalAccessToken {
        name: args.name,
        scopes: Some(args.scope).filter(|scopes| !scopes.is_empty()),
        expires_at: args.expires,
    };
    let client = context.client()?;
    let made = match args.of.user {
        Some(user) => client.iam().user_tokens(user).create(&wanted).await?,
        None => client.me().create_token(&wanted).await?,
    };
    handover.give(&made, made.token.as_str(), &made.described.identity)
}
