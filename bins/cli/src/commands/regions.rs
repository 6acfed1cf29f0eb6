use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Table};
use clap::Args;
use strongroom_client::Filter;

/// Show the server's regions
#[derive(Args)]
pub(crate) struct RegionsArgs {}

pub(crate) async fn run(_args: RegionsArgs, context: &Context) -> Result<(), Failure> {
    let regions = context.client()?.regions().list(&Filter::all()).await?;
    output::show(context.terminal, &regions, || {
        let mut table = Table::new(["SLUG", "NAME", "IDENTITY", "DESCRIPTION"]);
        for region in &regions {
            let texts = [&region.slug, &region.name, &region.identity, &region.description];
            table.row(texts.map(|text| text.as_str().into()));
        }
        table
    })
}
