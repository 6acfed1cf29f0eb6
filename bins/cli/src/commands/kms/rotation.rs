use super::keys::show;
use super::{kms, on_key};
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use clap::Args;
use strongroom_api::SetRotation;

/// Add a version to a key, which encrypts and signs from then on
#[derive(Args)]
pub(super) struct RotateArgs {
    /// The key, by slug or identity
    #[arg(value_name = "KEY")]
    key: String,
}

/// Set whether a key is rotated by itself, and after how many days
#[derive(Args)]
pub(super) struct RotationArgs {
    /// The key, by slug or identity
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    change: RotationChange,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct RotationChange {
    /// Rotate it so many days after its newest version was made
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=3650))]
    after: Option<i64>,
    /// Rotate it no more by itself
    #[arg(long)]
    off: bool,
}

/// Take versions of a key out of use: they neither decrypt nor verify any more
///
/// Secrets must not be under them: `strongroom kms rewrap` moves those.
#[derive(Args)]
pub(super) struct RetireArgs {
    /// The key, by slug or identity
    #[arg(value_name = "KEY")]
    key: String,
    /// The oldest version that stays in use; a lower one takes versions back into use [default: the newest]
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(u32).range(1..))]
    oldest: Option<u32>,
}

pub(super) async fn rotate(args: RotateArgs, context: &Context) -> Result<(), Failure> {
    let key = kms(context).await?.keys().rotate(&args.key).await.map_err(on_key)?;
    let sentence = format!("{} is at version {}.", key.slug, key.latest_version);
    output::done(context.terminal, &key, &sentence)
}

pub(super) async fn set(args: RotationArgs, context: &Context) -> Result<(), Failure> {
    let rotation = match args.change.after {
        Some(days) => SetRotation { key_rotation_enabled: Some(true), rotation_period_in_days: Some(days) },
        None => SetRotation { key_rotation_enabled: Some(false), rotation_period_in_days: None },
    };
    let key = kms(context).await?.keys().set_rotation(&args.key, &rotation).await.map_err(on_key)?;
    show(context, &key)
}

pub(super) async fn retire(args: RetireArgs, context: &Context) -> Result<(), Failure> {
    let key = kms(context).await?.keys().retire(&args.key, args.oldest).await.map_err(|error| {
        let is_used = error.code() == Some("key_versions_in_use");
        let failure = on_key(error);
        if is_used { failure.hint(format!("`strongroom kms rewrap {}` moves them first", args.key)) } else { failure }
    })?;
    show(context, &key)
}
