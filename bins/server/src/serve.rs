//! `strongroomd serve`: runs the server of a data directory that was set up.

use crate::cli::ServeArgs;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::failure::{Exit, Failure};
use crate::metrics::Metrics;
use crate::root_key::Provider;
use crate::running;
use crate::signals::Signals;
use crate::store::Location;
use crate::wiring::System;
use crate::{logging, root_key};
use strongroom_domain::port::Clock;
use strongroom_system::SystemClock;
use tokio::net::TcpListener;

struct Started {
    system: System,
    listener: TcpListener,
    metrics: Option<Metrics>,
}

pub(crate) async fn run(args: ServeArgs) -> Result<(), Failure> {
    let config = Config::read(&args.config)?;
    logging::start(&config.log)?;
    let mut stop = Signals::listen()?.first();
    let mut data = DataDir::lock(&config.data_dir)?;
    let location = Location::find(args.database.url()?.as_ref(), &config.database, data.database())?;
    let command = format!("serve --config {}", args.config.display());
    match running::unless_stopped(&mut stop, start(&config, &location, &mut data, &command)).await? {
        Some(Started { system, listener, metrics }) => running::serve(system, listener, metrics, &config, stop).await,
        None => Ok(()),
    }
}

async fn start(config: &Config, location: &Location, data: &mut DataDir, command: &str) -> Result<Started, Failure> {
    let Some(check) = location.inspect().await? else {
        let message = format!("{location} is not set up; run `strongroomd init` first");
        return Err(Failure::new(Exit::Configuration, message));
    };
    let root_keys = Provider::find(&config.root_key, data.path())?.load().await?;
    root_key::verify(&root_keys.ring, &check)?;
    let listener = running::listen(config.listen.address)?;
    let metrics = running::metrics(config).await?;

    data.announce(command, SystemClock.now());
    let store = location.open(root_keys.ring.clone()).await?;
    let system = System::assemble(store, root_keys, config, running::address_of(&listener)?).await?;
    Ok(Started { system, listener, metrics })
}
