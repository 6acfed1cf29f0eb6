//! `strongroomd operator gates`.

use super::client::{Client, read};
use super::output::{Output, table};
use super::{Switch, handle, on_off};
use crate::failure::Failure;
use clap::Args;
use http::Method;
use strongroom_api::{SetGates, SystemOrganisation};

#[derive(Debug, Args)]
pub(super) struct GatesArgs {
    /// The organisation, by slug or identity
    #[arg(value_name = "ORGANISATION", value_parser = handle)]
    organisation: String,
    /// The secrets manager, which needs the KMS too
    #[arg(long)]
    secrets: Option<Switch>,
    /// The key management service
    #[arg(long)]
    kms: Option<Switch>,
    /// Projects
    #[arg(long)]
    projects: Option<Switch>,
}

pub(super) async fn run(client: &Client, output: Output, args: GatesArgs) -> Result<(), Failure> {
    let path = format!("/v1/system/organisations/{}", args.organisation);
    let gates = SetGates {
        secrets: args.secrets.map(bool::from),
        kms: args.kms.map(bool::from),
        projects: args.projects.map(bool::from),
    };
    let answer = if gates == SetGates::default() {
        client.get(&path).await?
    } else {
        client.send(Method::PUT, &format!("{path}/gates"), serde_json::to_vec(&gates)).await?
    };
    output.print(&answer, |answer| {
        let gates = read::<SystemOrganisation>(answer)?.gates;
        let row = [gates.secrets, gates.kms, gates.projects].map(|on| on_off(on).to_owned());
        Ok(table(["SECRETS", "KMS", "PROJECTS"], &[row]))
    })
}
