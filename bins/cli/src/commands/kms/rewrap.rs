use super::{kms, on_key};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Table};
use crate::progress::Progress;
use clap::Args;
use core::time::Duration;
use futures_util::TryStreamExt;
use serde_json::json;
use strongroom_api::KeyInventoryEntry;

/// How many data keys are moved by one call.
const AT_ONCE: u64 = 500;

/// How long is waited when a call found nothing to do although something remains: a put under an earlier version came just now.
const PAUSE: Duration = Duration::from_millis(500);

/// How many such calls may follow each other.
const MOST_IDLE: u32 = 20;

/// Move all secrets under a key to its newest version; their values stay untouched
#[derive(Args)]
pub(super) struct RewrapArgs {
    /// The key, by slug or identity
    #[arg(value_name = "KEY")]
    key: String,
}

/// Show which versions of a key secrets are under
#[derive(Args)]
pub(super) struct InventoryArgs {
    /// The key, by slug or identity
    #[arg(value_name = "KEY")]
    key: String,
    /// List the versions of secrets that you may read
    #[arg(long, short)]
    long: bool,
}

pub(super) async fn run(args: RewrapArgs, context: &Context) -> Result<(), Failure> {
    let kms = kms(context).await?;
    let (mut moved, mut idle) = (0, 0);
    // Since something was moved; one call ends before it has tried all when many fail.
    let mut failed = 0;
    let mut progress = None;
    let last = loop {
        let last = kms.keys().rewrap(&args.key, Some(AT_ONCE)).await.map_err(|error| halfway(moved, on_key(error)))?;
        let bar = progress
            .get_or_insert_with(|| Progress::begin(context.terminal, "moving", last.rewrapped + last.remaining));
        (0..last.rewrapped).for_each(|_| bar.step());
        moved += last.rewrapped;
        failed = if last.rewrapped > 0 { 0 } else { failed + last.failed };
        if last.remaining == 0 || failed >= last.remaining {
            break last;
        }
        if last.rewrapped > 0 || last.failed > 0 {
            idle = 0;
            continue;
        }
        idle += 1;
        if idle == MOST_IDLE {
            let many = last.remaining;
            let stuck = Failure::failed(format!("{many} data keys remain that nobody moves"))
                .hint("try again in a while; `strongroom kms inventory` shows what is under earlier versions");
            return Err(halfway(moved, stuck));
        }
        tokio::time::sleep(PAUSE).await;
    };
    drop(progress);
    let (remaining, latest) = (last.remaining, last.latest_version);
    let document = json!({"rewrapped": moved, "remaining": remaining, "latestVersion": latest});
    output::done(context.terminal, &document, &format!("Moved {moved} data keys to version {latest} of the key."))?;
    if remaining > 0 {
        let message = format!("{remaining} data keys can't be opened and stay under earlier versions");
        return Err(Failure::new(Exit::Partly, message).hint("`strongroom audit ls --action kms.rewrap` names them"));
    }
    Ok(())
}

fn halfway(moved: u64, cause: Failure) -> Failure {
    if moved == 0 {
        return cause;
    }
    Failure::new(Exit::Partly, format!("{moved} data keys are moved, the others are not"))
        .hint("the same command again goes on")
        .because(cause)
}

pub(super) async fn inventory(args: InventoryArgs, context: &Context) -> Result<(), Failure> {
    let kms = kms(context).await?;
    let counts = kms.keys().usage(&args.key).await.map_err(on_key)?;
    let entries: Vec<KeyInventoryEntry> = match args.long {
        true => kms.keys().inventory(&args.key).try_collect().await.map_err(on_key)?,
        false => Vec::new(),
    };
    let mut document = json!({"counts": counts});
    if args.long {
        document["secrets"] = json!(entries);
    }
    output::show(context.terminal, &document, || {
        if args.long {
            let mut table = Table::new(["PATH", "VERSION", "KEY VERSION"]);
            for entry in &entries {
                table.row([entry.path.as_str().into(), entry.version.into(), entry.key_version.as_str().into()]);
            }
            return table;
        }
        let mut counts: Vec<(u64, u64)> =
            counts.iter().filter_map(|(version, count)| Some((version.parse().ok()?, *count))).collect();
        counts.sort_unstable();
        let mut table = Table::new(["KEY VERSION", "VERSIONS OF SECRETS"]);
        for (version, count) in counts {
            table.row([version.into(), count.into()]);
        }
        table
    })
}
