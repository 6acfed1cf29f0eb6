//! `strongroomd operator organisations`.

use super::client::{Client, read};
use super::output::{Output, table};
use super::{handle, on_off};
use crate::failure::Failure;
use clap::{Args, Subcommand};
use http::Method;
use serde::Deserialize;
use strongroom_api::{Encoded, NewOrganisation, NewUser, SystemOrganisation};

const PATH: &str = "/v1/system/organisations";

#[derive(Debug, Subcommand)]
pub(super) enum OrganisationsCommand {
    /// List them, with the services that they may use
    List,
    /// Make one. The token of an owner who is new is printed, this once
    Create(CreateArgs),
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("first_owner").required(true).args(["owner_name", "owner"])))]
pub(super) struct CreateArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// Its slug [default: made from the name]
    #[arg(long, value_name = "SLUG", value_parser = handle)]
    slug: Option<String>,
    /// The name of its owner, who is made
    #[arg(long, value_name = "NAME")]
    owner_name: Option<String>,
    /// The mail address of that owner
    #[arg(long, value_name = "ADDRESS", requires = "owner_name")]
    owner_email: Option<String>,
    /// The identity of a user of this installation, to be its owner
    #[arg(long, value_name = "IDENTITY", value_parser = handle)]
    owner: Option<String>,
}

/// What is told of a new organisation.
#[derive(Deserialize)]
struct Created {
    identity: String,
    slug: String,
    owner: Owner,
    #[serde(default)]
    token: Option<Encoded>,
}

#[derive(Deserialize)]
struct Owner {
    subject: String,
}

pub(super) async fn run(client: &Client, output: Output, command: OrganisationsCommand) -> Result<(), Failure> {
    match command {
        OrganisationsCommand::List => output.print(&client.get(PATH).await?, list),
        OrganisationsCommand::Create(args) => create(client, output, args).await,
    }
}

fn list(answer: &[u8]) -> Result<String, Failure> {
    let organisations: Vec<SystemOrganisation> = read(answer)?;
    let row = |SystemOrganisation { named, gates }: SystemOrganisation| {
        let [secrets, kms, projects] = [gates.secrets, gates.kms, gates.projects].map(|on| on_off(on).to_owned());
        [named.identity, named.slug, secrets, kms, projects, named.name]
    };
    let rows: Vec<_> = organisations.into_iter().map(row).collect();
    Ok(table(["IDENTITY", "SLUG", "SECRETS", "KMS", "PROJECTS", "NAME"], &rows))
}

async fn create(client: &Client, output: Output, args: CreateArgs) -> Result<(), Failure> {
    let CreateArgs { name, slug, owner_name, owner_email, owner } = args;
    let new_owner = owner_name.map(|name| NewUser { name, email: owner_email });
    let new = NewOrganisation { name, slug, owner: new_owner, owner_identity: owner };
    let answer = client.send(Method::POST, PATH, serde_json::to_vec(&new)).await?;
    if output.json {
        return Output::line(&answer);
    }
    let Created { identity, slug, owner, token } = read(&answer)?;
    Output::note(&format!("Made the organisation {slug} ({identity}); its owner is {}.", owner.subject));
    let Some(token) = token else { return Ok(()) };
    Output::note("The owner's token follows; it is shown this once.");
    Output::line(token.as_str().as_bytes())
}
