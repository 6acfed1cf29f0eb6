use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Cell, Look, Table};
use clap::Args;

/// Show how many keys each region has, and whether its KMS can be used
#[derive(Args)]
pub(super) struct SummaryArgs {}

pub(super) async fn run(_args: SummaryArgs, context: &Context) -> Result<(), Failure> {
    // The summary is of all regions, whichever the client is made for.
    let summary = context.client()?.kms("any").summary().await?;
    if !summary.feature_enabled && !context.terminal.json {
        output::note("The KMS is switched off for this organisation; an operator switches it on.");
    }
    output::show(context.terminal, &summary, || {
        let mut table = Table::new(["REGION", "KMS", "KEYS", "ACTIVE", "DISABLED", "PENDING DELETION"]);
        for region in &summary.regions {
            let kms = match region.kms_available {
                true => Cell::new("available", Look::Good),
                false => Cell::new("not available", Look::Bad),
            };
            table.row([
                region.slug.as_str().into(),
                kms,
                region.total_keys.into(),
                region.active_keys.into(),
                region.disabled_keys.into(),
                region.pending_deletion_keys.into(),
            ]);
        }
        table
    })
}
