use super::{explain, path};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::source::Source;
use crate::{output, prompt};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use strongroom_api::{Explain, Json};

/// Show, set, clear or try out the access policy of a secret
#[derive(Args)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Subcommand)]
enum PolicyCommand {
    Get(GetArgs),
    Set(SetArgs),
    Clear(ClearArgs),
    Test(TestArgs),
}

/// Print the access policy of a secret as JSON; null when it has none
#[derive(Args)]
struct GetArgs {
    /// The secret
    #[arg(value_name = "PATH", value_parser = path::secret)]
    path: String,
}

/// Set the access policy of a secret, from a file or standard input
#[derive(Args)]
struct SetArgs {
    /// The secret
    #[arg(value_name = "PATH", value_parser = path::secret)]
    path: String,
    /// The policy in JSON, as `get` prints it; - is standard input
    #[arg(long, short, value_name = "FILE", default_value = "-", hide_default_value = true, value_hint = clap::ValueHint::FilePath)]
    file: Source,
}

/// Take the access policy of a secret away
#[derive(Args)]
struct ClearArgs {
    /// The secret
    #[arg(value_name = "PATH", value_parser = path::secret)]
    path: String,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

/// Tell whether somebody could reveal or put now, or from elsewhere and at another time; exit code 4 when not
///
/// The server decides by its rules and the access policy as they are, and does nothing.
#[derive(Args)]
struct TestArgs {
    /// The secret
    #[arg(value_name = "PATH", value_parser = path::secret)]
    path: String,
    /// What would be done
    #[arg(long, short, value_name = "OPERATION", default_value = "reveal")]
    operation: Operation,
    /// From this address [default: yours]
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<core::net::IpAddr>,
    /// At this time, as 2026-01-31T18:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// By this user or service account, by identity [default: you]
    #[arg(long = "as", value_name = "IDENTITY")]
    principal: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Operation {
    Reveal,
    Put,
}

pub(crate) async fn run(args: PolicyArgs, context: &Context) -> Result<(), Failure> {
    match args.command {
        PolicyCommand::Get(args) => get(args, context).await,
        PolicyCommand::Set(args) => set(args, context).await,
        PolicyCommand::Clear(args) => clear(args, context).await,
        PolicyCommand::Test(args) => test(args, context).await,
    }
}

async fn get(args: GetArgs, context: &Context) -> Result<(), Failure> {
    let secret = context.secrets().await?.describe(&args.path).await?;
    let policy = secret.access_policy.unwrap_or(Json::Null);
    output::json(context.terminal, &policy)
}

async fn set(args: SetArgs, context: &Context) -> Result<(), Failure> {
    let name = &args.file;
    let text = name.read(context.terminal)?;
    let policy: Json = serde_json::from_slice(text.expose())
        .map_err(|error| Failure::usage(format!("{name} holds no JSON")).because(error).hint("nothing was changed"))?;
    let Json::Map(members) = &policy else {
        return Err(Failure::usage(format!("{name} holds no access policy: an object is expected"))
            .hint("`strongroom policy clear` takes a policy away; docs/http-api.md shows the three shapes"));
    };
    // As it stands in a secret: {"accessPolicy": …}.
    let inner = match members.as_slice() {
        [(name, inner)] if name == "accessPolicy" => inner.clone(),
        _ => policy,
    };
    let secret = context.secrets().await?.set_policy(&args.path, inner).await?;
    output::done(context.terminal, &secret, &format!("Set the access policy of {}.", secret.path))
}

async fn clear(args: ClearArgs, context: &Context) -> Result<(), Failure> {
    let secrets = context.secrets().await?;
    let question = format!("Take the access policy of {} away? Rules alone decide on it then.", args.path);
    prompt::confirm(&question, args.yes)?;
    let secret = secrets.set_policy(&args.path, Json::Null).await?;
    output::done(context.terminal, &secret, &format!("{} has no access policy any more.", secret.path))
}

async fn test(args: TestArgs, context: &Context) -> Result<(), Failure> {
    let operation = match args.operation {
        Operation::Reveal => "secret.value.read",
        Operation::Put => "secret.value.write",
    };
    let question = Explain {
        operation: Some(operation.to_owned()),
        path: Some(args.path),
        region: Some(context.region().await?.to_owned()),
        project: explain::project(context)?,
        principal: args.principal,
        source_address: args.ip.map(|ip| ip.to_string()),
        at: args.at,
        ..Explain::default()
    };
    let told = context.client()?.iam().explain(&question).await?;
    let mut document = json!(told);
    document["policyDecided"] = (told.stage == "accessPolicy").into();
    output::show(context.terminal, &document, || explain::table(&told))?;
    if told.allowed {
        return Ok(());
    }
    let failure = Failure::new(Exit::Denied, "it would be denied");
    Err(match told.stage.as_str() {
        "accessPolicy" => failure.hint("`strongroom policy get` shows the policy"),
        "iam" => failure.hint("rules deny it, so the access policy was not looked at"),
        _ => failure.hint("something else than the access policy decides, as the answer says"),
    })
}
