use super::filter::{FilterArgs, table};
use super::seen::Seen;
use crate::args::duration;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::terminal::Terminal;
use clap::Args;
use core::time::Duration;
use futures_util::TryStreamExt;
use strongroom_api::audit::AuditEntry;
use strongroom_client::{Audit, AuditFilter};

/// How many entries are asked for at once.
const PAGE: u32 = 1000;

/// The same for the first look, which mostly wants few.
const FIRST_PAGE: u32 = 100;

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
    let mut tail = Tail::new(context, args.filter.into())?;
    let first = tail.first(args.lines as usize).await?;
    show(context.terminal, &first)?;
    let mut is_away = false;
    loop {
        tokio::time::sleep(args.every).await;
        match tail.new_entries().await {
            Ok(entries) => {
                show(context.terminal, &entries)?;
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
    fn new(context: &Context, filter: AuditFilter) -> Result<Self, Failure> {
        let shows_own = filter.actions.iter().any(|action| action == OWN);
        Ok(Self { audit: context.client()?.audit(), filter, shows_own, seen: Seen::new(OVERLAP) })
    }

    fn is_wanted(&self, entry: &AuditEntry) -> bool {
        self.shows_own || entry.action != OWN
    }

    /// The newest entries, so many, oldest first. What the next look finds again is looked at too, so that it isn't taken for new.
    async fn first(&mut self, lines: usize) -> Result<Vec<AuditEntry>, strongroom_client::Error> {
        let mut newest = self.audit.entries(&self.filter, FIRST_PAGE);
        let mut shown = Vec::new();
        while let Some(entry) = newest.try_next().await? {
            if shown.len() >= lines && !self.seen.reaches(&entry) {
                break;
            }
            self.seen.looked([&entry]);
            if shown.len() < lines && self.is_wanted(&entry) {
                shown.push(entry);
            }
        }
        shown.reverse();
        Ok(shown)
    }

    /// What came since, oldest first.
    async fn new_entries(&mut self) -> Result<Vec<AuditEntry>, strongroom_client::Error> {
        let from = self.seen.from(self.filter.from.as_deref());
        let filter = AuditFilter { from: from.or_else(|| self.filter.from.clone()), ..self.filter.clone() };
        let mut entries: Vec<AuditEntry> = self.audit.entries(&filter, PAGE).try_collect().await?;
        entries.retain(|entry| !self.seen.contains(entry));
        self.seen.looked(&entries);
        entries.retain(|entry| self.is_wanted(entry));
        entries.reverse();
        Ok(entries)
    }
}

fn show(terminal: Terminal, entries: &[AuditEntry]) -> Result<(), Failure> {
    if !terminal.json {
        return output::rows(terminal, &table(entries));
    }
    // In one line each, also on a terminal.
    entries.iter().try_for_each(|entry| output::write(&output::json_line(entry)?))
}
