//! `strongroomd operator regions`.

use super::client::{Client, read};
use super::output::{Output, table};
use super::{Switch, handle};
use crate::config::region_slug;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use http::Method;
use strongroom_api::{NewRegion, SystemRegion, UpdateRegion};

const PATH: &str = "/v1/system/regions";

#[derive(Debug, Subcommand)]
pub(super) enum RegionsCommand {
    /// List them
    List,
    /// Make one. A server uses its KMS from its next start on
    Create(CreateArgs),
    /// Change one
    Update(UpdateArgs),
}

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// Its slug [default: made from the name]
    #[arg(long, value_name = "SLUG", value_parser = region_slug)]
    slug: Option<String>,
    /// A description
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Whether its KMS may be used [default: on]
    #[arg(long)]
    kms: Option<Switch>,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("change").required(true).multiple(true).args(["name", "description", "kms"])))]
pub(super) struct UpdateArgs {
    /// The region, by slug or identity
    #[arg(value_name = "REGION", value_parser = handle)]
    region: String,
    /// Its name from now on; its slug stays
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Its description from now on
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Whether its KMS may be used
    #[arg(long)]
    kms: Option<Switch>,
}

pub(super) async fn run(client: &Client, output: Output, command: RegionsCommand) -> Result<(), Failure> {
    match command {
        RegionsCommand::List => output.print(&client.get(PATH).await?, |answer| Ok(shown(read(answer)?))),
        RegionsCommand::Create(CreateArgs { name, slug, description, kms }) => {
            let new = NewRegion { name, slug, description, kms_enabled: kms.map(bool::from) };
            let answer = client.send(Method::POST, PATH, serde_json::to_vec(&new)).await?;
            output.print(&answer, one)
        }
        RegionsCommand::Update(UpdateArgs { region, name, description, kms }) => {
            let changes = UpdateRegion { name, description, kms_enabled: kms.map(bool::from) };
            let path = format!("{PATH}/{region}");
            let answer = client.send(Method::PUT, &path, serde_json::to_vec(&changes)).await?;
            output.print(&answer, one)
        }
    }
}

fn one(answer: &[u8]) -> Result<String, Failure> {
    Ok(shown(vec![read(answer)?]))
}

fn shown(regions: Vec<SystemRegion>) -> String {
    let row = |SystemRegion { region, kms_enabled, kms_available }: SystemRegion| {
        let kms = match (kms_enabled, kms_available) {
            (false, _) => "off",
            (true, true) => "on",
            (true, false) => "none on this server",
        };
        [region.identity, region.slug, kms.to_owned(), region.name]
    };
    let rows: Vec<_> = regions.into_iter().map(row).collect();
    table(["IDENTITY", "SLUG", "KMS", "NAME"], &rows)
}
