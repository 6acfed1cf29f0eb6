use super::data::Output;
use super::{kms, on_key};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use clap::Args;
use serde_json::json;

/// Print the public key of an asymmetric key: PEM, of ed25519 base64
#[derive(Args)]
pub(super) struct PublicKeyArgs {
    /// The key, by slug or identity
    #[arg(value_name = "KEY")]
    key: String,
    /// Of this version [default: the newest; with --json all]
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(u32).range(1..))]
    version: Option<u32>,
    #[command(flatten)]
    output: Output,
}

/// Give out the material of a key that was made for it
///
/// Plain bytes for symmetric and HMAC types, PKCS#8 in DER for the others. Whoever has it needs no server any more.
#[derive(Args)]
pub(super) struct ExportArgs {
    /// The key, by slug or identity
    #[arg(value_name = "KEY")]
    key: String,
    /// Of this version [default: the newest]
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(u32).range(1..))]
    version: Option<u32>,
    /// Show it on the terminal
    #[arg(long)]
    reveal: bool,
    #[command(flatten)]
    output: Output,
}

/// Print the public key under which material is wrapped that is imported
#[derive(Args)]
pub(super) struct WrappingKeyArgs {
    #[command(flatten)]
    output: Output,
}

pub(super) async fn public_key(args: PublicKeyArgs, context: &Context) -> Result<(), Failure> {
    let keys = kms(context).await?.keys().public_key(&args.key, args.version).await.map_err(on_key)?;
    let newest = keys.keys.iter().max_by_key(|(version, _)| version.parse::<u64>().unwrap_or_default());
    let (_, text) = newest.ok_or_else(|| {
        Failure::new(Exit::NotFound, format!("{} has no public key", args.key)).hint("only asymmetric keys have one")
    })?;
    args.output.line(context.terminal, &keys, text)
}

pub(super) async fn export(args: ExportArgs, context: &Context) -> Result<(), Failure> {
    if args.output.is_seen(context.terminal) && !args.reveal {
        // Told before the material leaves the server.
        return Err(Failure::usage("standard output is a terminal, and everybody behind you could read the key")
            .hint("write it into a file with --output FILE, or show it with --reveal"));
    }
    let material = kms(context).await?.export(&args.key, args.version).await.map_err(on_key)?;
    args.output.secret(context.terminal, "keyMaterial", &material, args.reveal, json!({"key": args.key}))
}

pub(super) async fn wrapping_key(args: WrappingKeyArgs, context: &Context) -> Result<(), Failure> {
    let key = kms(context).await?.wrapping_key().await?;
    args.output.line(context.terminal, &key, &key.public_key)
}
