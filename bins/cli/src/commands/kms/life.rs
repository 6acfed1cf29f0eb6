use super::{kms, on_key};
use crate::commands::times;
use crate::context::Context;
use crate::failure::Failure;
use crate::{output, prompt};
use clap::Args;

/// Take a key out of use: nothing under it can be read until it is enabled again
#[derive(Args)]
pub(super) struct DisableArgs {
    /// The key, by slug or identity
    #[arg(value_name = "KEY")]
    key: String,
}

/// Take a disabled key into use again
#[derive(Args)]
pub(super) struct EnableArgs {
    /// The key, by slug or identity
    #[arg(value_name = "KEY")]
    key: String,
}

/// Delete a key: it can't be used from now on, and is purged after 30 days
#[derive(Args)]
pub(super) struct DeleteArgs {
    /// The key, by slug or identity
    #[arg(value_name = "KEY")]
    key: String,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

/// Have a deleted key back, as long as it isn't purged
#[derive(Args)]
pub(super) struct CancelDeletionArgs {
    /// The key, by identity: its slug may be another key's by now
    #[arg(value_name = "KEY")]
    key: String,
}

pub(super) async fn disable(args: DisableArgs, context: &Context) -> Result<(), Failure> {
    let key = kms(context).await?.keys().disable(&args.key).await.map_err(on_key)?;
    output::done(context.terminal, &key, &format!("Disabled {}.", key.slug))
}

pub(super) async fn enable(args: EnableArgs, context: &Context) -> Result<(), Failure> {
    let key = kms(context).await?.keys().enable(&args.key).await.map_err(on_key)?;
    output::done(context.terminal, &key, &format!("Enabled {}.", key.slug))
}

pub(super) async fn delete(args: DeleteArgs, context: &Context) -> Result<(), Failure> {
    let kms = kms(context).await?;
    let question =
        format!("Delete the key {}? What is under it can't be read any more, and never again after 30 days.", args.key);
    prompt::confirm(&question, args.yes)?;
    let deleted = kms.keys().delete(&args.key).await.map_err(on_key)?;
    let key = &deleted.key;
    let purged = key.deletion_scheduled_at.as_deref().map(times::shown).unwrap_or_default();
    let sentence = format!(
        "Deleted {}; {} secrets can't be read any more. It is purged at {purged}; until then `strongroom kms cancel-deletion {}` has it back.",
        key.slug, deleted.bound_secrets, key.identity
    );
    output::done(context.terminal, &deleted, &sentence)
}

pub(super) async fn cancel_deletion(args: CancelDeletionArgs, context: &Context) -> Result<(), Failure> {
    let key = kms(context).await?.keys().cancel_deletion(&args.key).await.map_err(on_key)?;
    output::done(context.terminal, &key, &format!("{} is back, and {}.", key.slug, key.status))
}
