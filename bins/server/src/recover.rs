//! `strongroomd recover`: ways back for whoever has the store and its root key in hand.

mod operator;
mod owner;

use crate::cli::RecoverArgs;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::failure::{Exit, Failure};
use crate::root_key::Provider;
use crate::store::{Location, OpenStore};
use crate::{logging, root_key};
use strongroom_domain::port::Clock;
use strongroom_system::SystemClock;

/// A store that is open, and its directory, which belongs to this process.
struct Recovery {
    store: OpenStore,
    location: Location,
    data: DataDir,
}

pub(crate) async fn run(args: RecoverArgs) -> Result<(), Failure> {
    let config = match (args.config, args.data) {
        (Some(file), _) => Config::read(&file)?,
        (None, data) => Config::over(data.unwrap_or_default()),
    };
    logging::start(&config.log)?;
    // Only one process uses a data directory: the server is stopped now.
    let mut data = DataDir::lock(&config.data_dir)?;
    let location = Location::find(args.database.url()?.as_ref(), &config.database, data.database())?;
    let Some(check) = location.inspect().await? else {
        let message = format!("{location} is not set up; there is nothing to recover");
        return Err(Failure::new(Exit::Configuration, message));
    };
    let root_keys = Provider::find(&config.root_key, data.path())?.load().await?.ring;
    root_key::verify(&root_keys, &check)?;
    data.announce("recover", SystemClock.now());
    let store = location.open(root_keys).await?;
    let recovery = Recovery { store, location, data };
    match args.organisation {
        Some(organisation) => owner::run(recovery, &organisation).await,
        None => operator::run(recovery).await,
    }
}
