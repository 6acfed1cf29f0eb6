//! `strongroomd rootkey rotate`.
//!
//! Where the store is a file, there is one server, and all is done here: the new key is added to the root key file, the server takes it
//! on, the rotation is asked for until nothing remains, and the old keys are moved away. It may be stopped anywhere and run again: a file
//! with several keys tells of a rotation that was not ended, and that one is continued. Servers that share a database were given the new
//! key before; then only the rotation is asked for.

use super::ServerArgs;
use crate::cli::DatabaseArgs;
use crate::config::Config;
use crate::data_dir::DATABASE;
use crate::failure::{Exit, Failure};
use crate::operator::client::{Client, ServerAddress, read};
use crate::operator::output::Output;
use crate::operator::token;
use crate::root_key::{Provider, refusal};
use crate::store::Location;
use clap::Args;
use core::time::Duration;
use http::Method;
use std::path::PathBuf;
use strongroom_api::{RootKeyRotation, RootKeyStatus, RotateRootKey};
use strongroom_crypto::OsEntropy;
use strongroom_domain::port::{Clock, RootKey};
use strongroom_root_key::{LineKind, RootKeyFile};
use strongroom_system::SystemClock;

const ROOT_KEY: &str = "/v1/system/root-key";
/// How long the server may take to read the changed file: it looks each second, and a passphrase takes its time.
const TAKING_ON: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// What it does, for the help.
const STEPS: &str = "One server with its store in a file: a new key is added to the root key file, the server takes it on, everything is sealed \
                     anew, and the old key moves to a file beside it; keep that one with the backups from before. Several servers on a database: \
                     add the key with `strongroomd rootkey add`, and give the file to every server first.\n\n\
                     It may be stopped and run again at any time: it goes on where it was. The name of the root key that everything is sealed \
                     under then stands on standard output.";

#[derive(Debug, Args)]
#[command(after_help = STEPS)]
pub(super) struct RotateArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Where the server listens, on this machine [default: what the configuration says]
    #[arg(long = "addr", value_name = "URL", env = "STRONGROOM_ADDR")]
    address: Option<ServerAddress>,
    /// The file with the operator's token [default: operator.token in the data directory]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// How many keys one call seals anew
    #[arg(long, value_name = "NUMBER", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    at_once: u32,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn run(args: RotateArgs) -> Result<(), Failure> {
    let config = args.server.config()?;
    let client = client(&config, args.address, args.token_file)?;
    let file = config.data_dir.join(DATABASE);
    let location = Location::find(args.database.url()?.as_ref(), &config.database, file)?;
    let provider = match location {
        Location::Sqlite(file) if !file.exists() => {
            let message = format!(
                "there is no store in {}, and no database was named; name it with --database or STRONGROOM_DATABASE, as the servers are given it",
                config.data_dir.display()
            );
            return Err(Failure::new(Exit::Configuration, message));
        }
        Location::Sqlite(_) => Some(Provider::find(&config.root_key, &config.data_dir)?),
        Location::Postgres(_) => None,
    };
    let before = status(&client).await?;
    match &provider {
        Some(provider) => add(provider, &client, &before).await?,
        None if before.root_key == before.newest => Output::note(
            "The server was given no newer root key than the store's: what is still sealed under an older one is sealed anew, and else nothing \
             happens. For a new key, add one with `strongroomd rootkey add`, and give the file to every server first.",
        ),
        None => Output::note(&format!("From root key {} to {}.", before.root_key, before.newest)),
    }
    let root_key = rotate(&client, args.at_once).await?;
    match &provider {
        Some(provider) => move_old(provider, &root_key).await?,
        None if before.root_key == root_key => Output::note(
            "When every server was started anew since this became the store's root key: take the lines of older keys out of every server's \
             root key file, and keep them with the backups from before.",
        ),
        None => Output::note(
            "Start every server anew, so that none seals under an older key any more, and run this again; only then take the lines of older keys away.",
        ),
    }
    Output::line(root_key.as_bytes())
}

fn client(config: &Config, address: Option<ServerAddress>, token: Option<PathBuf>) -> Result<Client, Failure> {
    let address = match address {
        Some(address) => address,
        None => format!("http://{}", config.listen.address).parse().map_err(Failure::runtime)?,
    };
    Ok(Client::new(address, token::find(token, Some(config.data_dir.clone()))?))
}

async fn status(client: &Client) -> Result<RootKeyStatus, Failure> {
    read(&client.call(Method::GET, ROOT_KEY, None).await?)
}

async fn names(provider: &Provider, file: &RootKeyFile) -> Result<Vec<String>, Failure> {
    Ok(provider.keys_of(file).await?.iter().map(|key| key.id().to_string()).collect())
}

/// Sees to it that the file ends with a newer key than the store's, unless a rotation is to be ended, and that the server knows it.
async fn add(provider: &Provider, client: &Client, before: &RootKeyStatus) -> Result<(), Failure> {
    let file = provider.read()?;
    let names = names(provider, &file).await?;
    if !names.contains(&before.root_key) {
        let message = format!(
            "the root key of the server's store, {}, is not in {}; name the configuration or data directory of that server",
            before.root_key,
            provider.path().display()
        );
        return Err(Failure::new(Exit::RootKey, message));
    }
    let newest = match names.as_slice() {
        [only] => {
            let kind = file.kinds().last().copied().unwrap_or(LineKind::Plain);
            let new = provider.new_key(kind).await?;
            file.add(&new, &OsEntropy).map_err(refusal)?;
            let newest = new.key().id().to_string();
            Output::note(&format!("Added root key {newest} to {}, after {only}.", provider.path().display()));
            newest
        }
        several => {
            Output::note(&format!("{} has several keys: their rotation is continued.", provider.path().display()));
            several.last().cloned().unwrap_or_default()
        }
    };
    let mut waited = Duration::ZERO;
    while status(client).await?.newest != newest {
        if waited >= TAKING_ON {
            let message = format!(
                "the server did not take on root key {newest} from {}; its log says why. Nothing was rotated yet",
                provider.path().display()
            );
            return Err(Failure::runtime(message));
        }
        SystemClock.sleep(LOOK_AGAIN).await;
        waited += LOOK_AGAIN;
    }
    Ok(())
}

/// Asks for the rotation until nothing remains; gives the root key that it led to.
async fn rotate(client: &Client, at_once: u32) -> Result<String, Failure> {
    let mut resealed = 0;
    loop {
        let request = serde_json::to_vec(&RotateRootKey { limit: Some(at_once.into()) });
        let answer = client.send(Method::POST, &format!("{ROOT_KEY}/rotate"), request).await?;
        let step: RootKeyRotation = read(&answer)?;
        resealed += step.resealed;
        if !step.remaining {
            Output::note(&format!(
                "Sealed {resealed} keys anew; everything is sealed under root key {}.",
                step.root_key
            ));
            return Ok(step.root_key);
        }
        Output::note(&format!("Sealed {resealed} keys anew …"));
    }
}

/// Moves the old lines away, now that nothing is sealed under their keys but in backups.
async fn move_old(provider: &Provider, root_key: &str) -> Result<(), Failure> {
    let file = provider.read()?;
    let keys = provider.keys_of(&file).await?;
    let ids: Vec<_> = keys.iter().map(RootKey::id).collect();
    if ids.last().is_none_or(|last| last.to_string() != root_key) {
        // Somebody added yet another one.
        return Ok(());
    }
    let moved = match file.move_old(&ids, &OsEntropy) {
        Ok(moved) => moved,
        // The rotation is done; such a file comes from elsewhere.
        Err(error) => {
            let path = provider.path().display();
            Output::note(&format!(
                "The old line stays in {path}: {error}. Take it out where the file comes from, and keep it with the backups from before."
            ));
            return Ok(());
        }
    };
    for path in moved {
        let text = format!(
            "Moved the old root key to {}. Keep it with the backups from before, and only there.",
            path.display()
        );
        Output::note(&text);
    }
    Ok(())
}
