//! `strongroomd rootkey check`.

use super::ServerArgs;
use crate::cli::DatabaseArgs;
use crate::failure::{Exit, Failure};
use crate::operator::output::{Output, table};
use crate::root_key::{Provider, verify};
use crate::store::Location;
use clap::Args;
use strongroom_domain::port::RootKey;
use strongroom_root_key::RootKeyRing;

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn run(args: CheckArgs) -> Result<(), Failure> {
    let config = args.server.config()?;
    let provider = Provider::find(&config.root_key, &config.data_dir)?;
    let database = config.data_dir.join(crate::data_dir::DATABASE);
    let location = Location::find(args.database.url()?.as_ref(), &config.database, database)?;
    let file = provider.read()?;
    let keys = provider.keys_of(&file).await?;
    let check = location.inspect().await?;

    let newest = keys.len().saturating_sub(1);
    let current = check.as_ref().and_then(|check| keys.iter().position(|key| key.id() == check.root_key));
    let lines = keys.iter().zip(file.kinds()).enumerate().map(|(place, (key, kind))| {
        let role = match current {
            None => "-",
            Some(current) if place == current => "the store's",
            Some(current) if place < current => "older: opens what is sealed under it still",
            Some(_) if place == newest => "for the next rotation",
            Some(_) => "not used: a newer one is there for the next rotation",
        };
        [key.id().to_string(), kind.as_str().to_owned(), role.to_owned()]
    });
    let lines: Vec<_> = lines.collect();
    Output::line(table(["KEY", "KEPT", "USE"], &lines).trim_end().as_bytes())?;
    let Some(check) = check else {
        let message = format!("{location} is not set up, so no root key belongs to it yet");
        return Err(Failure::new(Exit::Configuration, message));
    };
    let ring = RootKeyRing::new(keys).ok_or_else(|| Failure::new(Exit::RootKey, "there is no root key"))?;
    verify(&ring, &check)
}
