use super::path;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::progress::Progress;
use crate::transfer::report::{NOT_DONE, Report};
use crate::{output, prompt};
use clap::Args;
use futures_util::TryStreamExt;
use serde_json::json;
use strongroom_api::Secret;
use strongroom_client::{Error, Secrets};

const DELETED: &str = "deleted";

/// Delete a secret, or everything below a directory, with all versions, for good
#[derive(Args)]
pub(crate) struct DeleteArgs {
    /// The secret; with --recursive a directory
    #[arg(value_name = "PATH")]
    path: String,
    /// Delete everything below the directory that you may read
    #[arg(long, short)]
    recursive: bool,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

pub(crate) async fn run(args: DeleteArgs, context: &Context) -> Result<(), Failure> {
    let named = if args.recursive { path::directory(&args.path) } else { path::secret(&args.path) };
    let named = named.map_err(|wrong| {
        let failure = Failure::usage(wrong);
        if args.recursive { failure } else { failure.hint("--recursive deletes what is below a directory") }
    })?;
    prompt::can_confirm(args.yes)?;
    let secrets = context.secrets().await?;
    if args.recursive {
        delete_below(&secrets, &named, args.yes, context).await
    } else {
        delete(&secrets, &named, args.yes, context).await
    }
}

async fn delete(secrets: &Secrets, path: &str, yes: bool, context: &Context) -> Result<(), Failure> {
    let mut deletion = secrets.delete(path);
    if !yes {
        let current = current(secrets, path).await?;
        prompt::confirm(&format!("Delete {path} with all its versions, for good?"), false)?;
        if let Some(current) = current {
            deletion = deletion.expected_version(current);
        }
    }
    deletion.await.map_err(not_deleted)?;
    output::done(context.terminal, &json!({"deleted": [path]}), &format!("Deleted {path}."))
}

/// The current version as it is when the question is put; none for whoever may delete the secret and not look at it.
async fn current(secrets: &Secrets, path: &str) -> Result<Option<u64>, Failure> {
    match secrets.describe(path).await {
        Ok(secret) => Ok(Some(secret.current_version)),
        Err(error) if error.status() == Some(403) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn not_deleted(error: Error) -> Failure {
    let is_changed = error.status() == Some(412);
    let failure = Failure::from(error);
    if is_changed {
        failure.hint("it got another value since you were asked; the same command asks again")
    } else {
        failure
    }
}

async fn delete_below(secrets: &Secrets, directory: &str, yes: bool, context: &Context) -> Result<(), Failure> {
    let found: Vec<Secret> = secrets.list(directory).try_collect().await?;
    if found.is_empty() {
        let message = format!("there is nothing below {directory} that you may read");
        return Err(Failure::new(Exit::NotFound, message).hint("`strongroom tree` shows all that you may read"));
    }
    let many = found.len();
    prompt::confirm(&format!("Delete {many} secrets below {directory} with all their versions, for good?"), yes)?;
    let progress = Progress::begin(context.terminal, "deleting", many as u64);
    let mut report = Report::default();
    let mut waiting = found.into_iter();
    for secret in waiting.by_ref() {
        // As it was when the question was answered.
        match secrets.delete(&secret.path).expected_version(secret.current_version).await {
            Ok(()) => report.add(secret.path, DELETED),
            // Somebody else was faster.
            Err(error) if error.is_not_found() => report.add(secret.path, DELETED),
            Err(error) => {
                let is_over = error.is_unavailable() || error.is_unauthenticated();
                report.fail(secret.path, not_deleted(error));
                if is_over {
                    break;
                }
            }
        }
        progress.step();
    }
    drop(progress);
    waiting.for_each(|secret| report.add(secret.path, NOT_DONE));
    report.finish(context)
}
