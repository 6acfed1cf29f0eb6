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
    let lines = keys.iter().zip(file.kinds()).enumerate().map(|(place, (key, kind))| {
        let is_stores = check.as_ref().is_some_and(|check| check.root_key == key.id());
        let role = match (is_stores, place == newest) {
            (true, _) => "the store's",
            (false, true) if check.is_some() => "for the next rotation",
            (false, _) => "old, opens only",
        };
        let role = if check.is_none() { "-" } else { role };
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
