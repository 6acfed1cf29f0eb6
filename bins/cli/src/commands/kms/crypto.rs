use super::data::{Input, Output};
use super::{kms, on_key};
use crate::context::Context;
use crate::failure::Failure;
use clap::Args;
use serde_json::json;

/// Encrypt what comes on standard input or in a file, at most 65535 bytes; on a terminal it asks for a line without showing it
#[derive(Args)]
pub(super) struct EncryptArgs {
    /// The key, by slug or identity
    #[arg(value_name = "KEY")]
    key: String,
    /// With this version [default: the newest]
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(u32).range(1..))]
    version: Option<u32>,
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    output: Output,
}

/// Decrypt what `encrypt` gave: exactly its bytes to a pipe or file, masked on a terminal
#[derive(Args)]
pub(super) struct DecryptArgs {
    /// The key, by slug or identity
    #[arg(value_name = "KEY")]
    key: String,
    /// Show it on the terminal
    #[arg(long)]
    reveal: bool,
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    output: Output,
}

pub(super) async fn encrypt(args: EncryptArgs, context: &Context) -> Result<(), Failure> {
    let plain = args.input.read_plaintext(
        context.terminal,
        "encrypt the data with a key of its own, and that key here; or put it as a secret",
    )?;
    let encrypted = kms(context).await?.encrypt(&args.key, plain.expose(), args.version).await.map_err(on_key)?;
    args.output.line(context.terminal, &encrypted, &encrypted.ciphertext)
}

pub(super) async fn decrypt(args: DecryptArgs, context: &Context) -> Result<(), Failure> {
    let ciphertext = args.input.read_word(context.terminal, "ciphertext")?;
    let plain = kms(context).await?.decrypt(&args.key, &ciphertext).await.map_err(|error| {
        let is_foreign = error.code() == Some("invalid_ciphertext");
        let failure = on_key(error);
        if is_foreign { failure.hint("is it whole, and was it made with this key?") } else { failure }
    })?;
    args.output.secret(context.terminal, "plaintext", &plain, args.reveal, json!({}))
}
