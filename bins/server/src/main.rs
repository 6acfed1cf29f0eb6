//! The Strongroom server: `strongroomd dev`, `init`, `serve`, `recover`, `operator`, `rewrap`, `rootkey` and `audit`.

mod audit;
mod audit_outlets;
mod audit_rounds;
mod cli;
mod config;
mod data_dir;
mod database_url;
mod dev;
mod dev_env;
mod failure;
mod greeting;
mod hardening;
mod init;
mod key_rounds;
mod logging;
mod metrics;
mod operator;
mod recover;
mod region_kms;
mod rewrap;
mod root_key;
mod rootkey;
mod running;
mod serve;
mod setup;
mod signals;
mod store;
mod wiring;

use clap::Parser;
use cli::{Cli, Command};
use core::time::Duration;
use failure::Failure;
use std::process::ExitCode;

/// Many small allocations are freed on another thread than the one that made them; this allocator does that without a lock.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long a thread is waited for that a start which was stopped left behind, such as one that looks up a name.
const LINGER: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(command: Command) -> Result<(), Failure> {
    hardening::harden()?;
    hardening::raise_open_files();
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::runtime("the runtime cannot be started").because(error))?;
    let ended = runtime.block_on(async {
        match command {
            Command::Dev(args) => dev::run(args).await,
            Command::Init(args) => init::run(args).await,
            Command::Serve(args) => serve::run(args).await,
            Command::Recover(args) => recover::run(args).await,
            Command::Operator(args) => operator::run(args).await,
            Command::Rewrap(args) => rewrap::run(args).await,
            Command::Rootkey(args) => rootkey::run(args).await,
            Command::Audit(args) => audit::run(args).await,
        }
    });
    runtime.shutdown_timeout(LINGER);
    ended
}
