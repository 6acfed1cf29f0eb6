use super::data::{Input, Output, encoded, judged};
use super::{kms, on_key};
use crate::context::Context;
use crate::failure::Failure;
use clap::{Args, ValueEnum};
use strongroom_api::{Sign, Verify};

/// What to do with what is too long.
const HASH_IT: &str = "sign its digest instead: --prehashed, with the digest's bytes as the input";

/// The hash that is signed; ed25519 has its own.
#[derive(Args)]
struct Hashing {
    /// The hash
    #[arg(long, value_name = "HASH", default_value = "sha256")]
    hash: Hash,
    /// The input is the digest already
    #[arg(long)]
    prehashed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }
}

/// Sign what comes on standard input or in a file, at most 65535 bytes
#[derive(Args)]
pub(super) struct SignArgs {
    /// The key, by slug or identity
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    hashing: Hashing,
    /// With this version [default: the newest]
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(u32).range(1..))]
    version: Option<u32>,
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    output: Output,
}

/// Verify a signature over what comes on standard input or in a file; exit code 1 when it isn't valid
#[derive(Args)]
pub(super) struct VerifyArgs {
    /// The key, by slug or identity
    #[arg(value_name = "KEY")]
    key: String,
    /// The signature
    #[arg(value_name = "SIGNATURE")]
    signature: String,
    #[command(flatten)]
    hashing: Hashing,
    #[command(flatten)]
    input: Input,
}

/// Make the HMAC of what comes on standard input or in a file, at most 65535 bytes
#[derive(Args)]
pub(super) struct HmacArgs {
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

/// Verify an HMAC of what comes on standard input or in a file; exit code 1 when it isn't valid
#[derive(Args)]
pub(super) struct VerifyHmacArgs {
    /// The key, by slug or identity
    #[arg(value_name = "KEY")]
    key: String,
    /// The HMAC
    #[arg(value_name = "HMAC")]
    hmac: String,
    #[command(flatten)]
    input: Input,
}

pub(super) async fn sign(args: SignArgs, context: &Context) -> Result<(), Failure> {
    let input = args.input.read_message(context.terminal, HASH_IT)?;
    let body = Sign {
        input: encoded(&input),
        key_version: args.version.map(|version| version.to_string()),
        hash_algorithm: Some(args.hashing.hash.name().to_owned()),
        prehashed: args.hashing.prehashed.then_some(true),
        context: None,
    };
    let signed = kms(context).await?.sign(&args.key, &body).await.map_err(on_key)?;
    args.output.line(context.terminal, &signed, &signed.signature)
}

pub(super) async fn verify(args: VerifyArgs, context: &Context) -> Result<(), Failure> {
    let input = args.input.read_message(context.terminal, HASH_IT)?;
    let body = Verify {
        input: encoded(&input),
        signature: args.signature.trim().to_owned(),
        hash_algorithm: Some(args.hashing.hash.name().to_owned()),
        prehashed: args.hashing.prehashed.then_some(true),
        context: None,
    };
    let verified = kms(context).await?.verify(&args.key, &body).await.map_err(on_key)?;
    judged(context.terminal, "signature", verified.valid, verified.key_version.as_deref())
}

pub(super) async fn hmac(args: HmacArgs, context: &Context) -> Result<(), Failure> {
    let input = args.input.read_message(context.terminal, "make the HMAC of its digest instead")?;
    let made = kms(context).await?.hmac(&args.key, input.expose(), args.version).await.map_err(on_key)?;
    args.output.line(context.terminal, &made, &made.hmac)
}

pub(super) async fn verify_hmac(args: VerifyHmacArgs, context: &Context) -> Result<(), Failure> {
    let input = args.input.read_message(context.terminal, "make the HMAC of its digest instead")?;
    let verified =
        kms(context).await?.verify_hmac(&args.key, input.expose(), args.hmac.trim()).await.map_err(on_key)?;
    judged(context.terminal, "HMAC", verified.valid, verified.key_version.as_deref())
}
