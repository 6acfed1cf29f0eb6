use super::filter::{FilterArgs, table};
use super::seen::Seen;
use crate::args::duration;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::terminal::Terminal;
use clap::Args;
use core::time::Duration;
use futures_util::{StreamExt, TryStreamExt};
use strongroom_api::audit::AuditEntry;
use strongroom_client::{Audit, AuditFilter};

/// How many entries are asked for at once.
const PAGE: u32 = 1000;

/// What each look leaves in the log itself.
const OWN: &str = "audit.read";

/// How far each look goes back over what was looked at: entries can be found a little after they were made, and not in their order.
const OVERLAP: Duration = Duration::from_secs(10);

/// Follow the audit log: entries as they come, oldest first, until Ctrl-C
///
/// With --json each entry is a document of its own, in one line. Looking is recorded too: audit.read is only shown when it is asked for
/// with --action.
#[derive(Args)]
pub(super) struct TailArgs {
    /// Begin with so many entries that are there already
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=1000))]
    lines: u32,
    /// How often to look
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration)]
    every: Duration,
    #[command(flatten)]
    filter: FilterArgs,
}

pub(super) async fn run(args: TailArgs, context: &Context) -> Result<(), Failure> {
    let mut tail = Tail::new(context, args.filter.into(), args.every)?;
    let first = tail.page(args.lines.max(1)).await?;
    let skipped = first.len().saturating_sub(args.lines as usize);
    let shown: Vec<_> = first.iter().skip(skipped).collect();
    show(context.terminal, &shown)?;
    tail.seen.looked(&first);
    let mut is_away = false;
    loop {
        tokio::time::sleep(args.every).await;
        match tail.new_entries().await {
            Ok(entries) => {
                show(context.terminal, &entries.iter().collect::<Vec<_>>())?;
                tail.seen.looked(&entries);
                is_away = false;
            }
            // A server that is started anew comes back, and nothing is missed meanwhile.
            Err(error) if error.is_unavailable() => {
                if !core::mem::replace(&mut is_away, true) {
                    output::note(&format!("{error}; going on as soon as it answers again"));
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

struct Tail {
    audit: Audit,
    filter: AuditFilter,
    shows_own: bool,
    seen: Seen,
}

impl Tail {
    fn new(context: &Context, filter: AuditFilter, every: Duration) -> Result<Self, Failure> {
        let shows_own = filter.actions.iter().any(|action| action == OWN);
        let audit = context.client()?.audit();
        let most_looks = usize::try_from(OVERLAP.as_millis() / every.as_millis().max(1)).unwrap_or(usize::MAX).max(2);
        Ok(Self { audit, filter, shows_own, seen: Seen::new(most_looks) })
    }

    fn is_wanted(&self, entry: &AuditEntry) -> bool {
        self.shows_own || entry.action != OWN
    }

    /// The newest entries, so many, oldest first.
    async fn page(&mut self, limit: u32) -> Result<Vec<AuditEntry>, strongroom_client::Error> {
        let wanted = self.shows_own;
        let newest = self.audit.entries(&self.filter, PAGE.min(limit * 4));
        let newest = newest.try_filter(move |entry| core::future::ready(wanted || entry.action != OWN));
        let mut entries: Vec<AuditEntry> = newest.take(limit as usize).try_collect().await?;
        entries.reverse();
        Ok(entries)
    }

    /// What came since, oldest first.
    async fn new_entries(&mut self) -> Result<Vec<AuditEntry>, strongroom_client::Error> {
        let mut filter = self.filter.clone();
        if let Some(from) = self.seen.from() {
            filter.from = Some(from.to_owned());
        }
        let mut entries: Vec<AuditEntry> = self.audit.entries(&filter, PAGE).try_collect().await?;
        entries.retain(|entry| self.is_wanted(entry) && !self.seen.contains(entry));
        entries.reverse();
        Ok(entries)
    }
}

fn show(terminal: Terminal, entries: &[&AuditEntry]) -> Result<(), Failure> {
    if !terminal.json {
        return output::rows(terminal, &table(entries.iter().copied()));
    }
    // In one line each, also on a terminal.
    entries.iter().try_for_each(|entry| output::write(&output::json_line(entry)?))
}
