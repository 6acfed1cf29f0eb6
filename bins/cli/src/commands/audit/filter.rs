//! Which entries are wanted, and how one is shown.

use crate::commands::times;
use crate::output::{Cell, Table};
use clap::Args;
use strongroom_api::audit::AuditEntry;
use strongroom_client::AuditFilter;

/// Entries of which all that is given holds.
#[derive(Args)]
pub(super) struct FilterArgs {
    /// This was done or tried, such as secret.value.read; may be repeated: one of them
    #[arg(long, value_name = "ACTION", value_delimiter = ',')]
    action: Vec<String>,
    /// It was done to one of this kind, such as secret or kms_key; may be repeated
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    resource_type: Vec<String>,
    /// It was done to this: a secret's path, the identity of anything else
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<String>,
    /// This user called
    #[arg(long, value_name = "IDENTITY")]
    user: Option<String>,
    /// This service account called, by identity or slug
    #[arg(long, value_name = "ACCOUNT")]
    service_account: Option<String>,
    /// The answer had this HTTP status
    #[arg(long, value_name = "STATUS", value_parser = clap::value_parser!(u16).range(100..=599))]
    status: Option<u16>,
    /// Not before this time, as 2026-01-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// This text stands in it somewhere
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Also what the system did by itself
    #[arg(long)]
    system: bool,
}

impl From<FilterArgs> for AuditFilter {
    fn from(args: FilterArgs) -> Self {
        Self {
            actions: args.action,
            resource_types: args.resource_type,
            resource: args.resource,
            user: args.user,
            service_account: args.service_account,
            status: args.status,
            include_system: args.system,
            from: args.from,
            to: args.to,
            text: args.text,
        }
    }
}

/// Entries, a line for each.
pub(super) fn table<'a>(entries: impl IntoIterator<Item = &'a AuditEntry>) -> Table {
    let mut table = Table::new(["TIME", "ACTION", "RESOURCE", "CALLER", "FROM", "OUTCOME", "REQUEST"]);
    for entry in entries {
        table.row([
            times::shown(&entry.created_at).into(),
            entry.action.as_str().into(),
            entry.resource_identity.as_deref().or(entry.resource_type.as_deref()).into(),
            caller(entry).into(),
            entry.context.client_ip.as_deref().into(),
            outcome(entry),
            entry.context.request_id.as_deref().into(),
        ]);
    }
    table
}

fn caller(entry: &AuditEntry) -> Option<&str> {
    let user = entry.user.as_ref().map(|user| user.name.as_str()).or(entry.user_identity.as_deref());
    let account = entry.service_account.as_ref().map(|account| account.slug.as_str());
    user.or(account).or(entry.service_account_identity.as_deref())
}

fn outcome(entry: &AuditEntry) -> Cell {
    Cell::status(&entry.context.outcome)
}
