//! `strongroomd init`: sets up an empty data directory.

use crate::cli::InitArgs;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::failure::{Exit, Failure};
use crate::root_key::Provider;
use crate::store::Location;
use crate::{logging, setup};
use std::io::Write;
use std::path::Path;
use strongroom_domain::port::Clock;
use strongroom_system::SystemClock;

const DEFAULT_ORGANISATION: &str = "default";
const DEFAULT_REGION: &str = "nl-01";

pub(crate) async fn run(args: InitArgs) -> Result<(), Failure> {
    let config = match (args.config, args.data) {
        (Some(file), _) => Config::read(&file)?,
        (None, data) => Config::over(data.unwrap_or_default()),
    };
    logging::start(&config.log)?;
    let organisation = args.organisation.or(config.organisation).unwrap_or_else(|| DEFAULT_ORGANISATION.to_owned());
    let mut regions = if args.region.is_empty() { config.regions.into_keys().collect() } else { args.region };
    if regions.is_empty() {
        regions.push(DEFAULT_REGION.to_owned());
    }
    regions.sort();
    regions.dedup();

    let provider = Provider::find(&config.root_key, &config.data_dir)?;
    if !config.data_dir.exists() {
        refuse_root_key(&provider)?;
        DataDir::create(&config.data_dir)?;
    }
    let mut data = DataDir::lock(&config.data_dir)?;
    let location = Location::find(args.database.url()?.as_ref(), &config.database, data.database())?;
    if location.inspect().await?.is_some() {
        let message = format!("{location} is set up already; nothing was changed");
        return Err(Failure::new(Exit::Configuration, message));
    }
    refuse_root_key(&provider)?;
    let provided = if provider.is_provided() { provider.load_if_there().await? } else { None };
    data.announce("init", SystemClock.now());
    let root_keys = match provided {
        Some(provided) => provided,
        None => provider.create().await?,
    };
    let new = setup::create(&location, root_keys.ring.clone(), &organisation, &regions).await?;
    new.store.writer.close().await;

    let told = data
        .write_operator_token(new.tokens.operator.token.expose())
        .and_then(|()| tell(provider.path(), &data, &organisation, &regions, new.tokens.owner.token.expose()));
    told.map_err(|error| {
        let message = "the owner's token could not be printed, or the operator's not be written, and is lost; remove the store and the \
                       root key, and run init again";
        Failure::runtime(message).because(error)
    })
}

/// A root key without a store: perhaps the store is only out of sight, on a disk that isn't mounted. One that is provided at the start has
/// to be there first.
fn refuse_root_key(provider: &Provider) -> Result<(), Failure> {
    let file = provider.path();
    if provider.is_provided() || file.symlink_metadata().is_err() {
        return Ok(());
    }
    let message = format!(
        "there is a root key, {}, but no store; put the store back, or move the key away if nothing is stored under it; nothing was \
         changed",
        file.display()
    );
    Err(Failure::new(Exit::Configuration, message))
}

/// The token alone goes to standard output, so that a script can take it from there.
fn tell(root_key: &Path, data: &DataDir, organisation: &str, regions: &[String], token: &[u8]) -> std::io::Result<()> {
    let mut stderr = std::io::stderr().lock();
    writeln!(stderr, "Set up {}: organisation {organisation}, regions {}.", data.path().display(), regions.join(", "))?;
    writeln!(
        stderr,
        "The root key is {}. Copy it to a safe place: without it the store cannot be read again.",
        root_key.display()
    )?;
    writeln!(
        stderr,
        "The operator's token is in {}, where `strongroomd operator` finds it.",
        data.operator_token().display()
    )?;
    writeln!(stderr, "The token of the organisation's owner follows; it is shown this once.")?;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(token)?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}
