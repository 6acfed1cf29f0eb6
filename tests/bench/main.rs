//! How fast reveals and puts are, as a share of what a bare hyper server, or pgbench, does in the same run: docs/performance.md.
//!
//! This process is the load; the servers are processes of their own. They take turns, since a machine's speed changes from minute
//! to minute, and only their ratio means something elsewhere.
#![expect(clippy::disallowed_methods, reason = "measures real processes by the real clock")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "prints what it measured")]

mod bare;
mod load;
mod pgbench;
mod probe;
mod report;
mod strongroom;

use clap::Parser;
use load::Shots;
use pgbench::Pgbench;
use report::{Report, Row};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Any failure ends the run.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// Reveal and put against a bare hyper server, in turns.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    /// How many keep-alive connections; several numbers for several runs
    #[arg(long, value_delimiter = ',', default_values_t = [32], value_name = "N,…")]
    connections: Vec<usize>,
    /// How many times each takes its turn
    #[arg(long, default_value_t = 5, value_name = "N")]
    rounds: usize,
    /// How long one turn takes
    #[arg(long, default_value_t = 3, value_name = "N")]
    seconds: u64,
    /// Over how many secrets reveals and puts go
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    secrets: usize,
    /// Where the data directory is made; its disk is what is measured [default: beside this program]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Keep the store in PostgreSQL, and measure it against pgbench on the same socket
    #[arg(long)]
    postgres: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Fail when a reveal or a put is below the share that is asked of it
    #[arg(long)]
    check: bool,
    /// Be the bare server
    #[arg(long, hide = true)]
    bare: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = if arguments.bare { bare::serve().map(|()| true) } else { measure(&arguments) };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

const BARE: &str = "bare hyper";
const READ: &str = "pgbench -S";
const INSERT: &str = "pgbench insert";
const REVEAL: &str = "reveal";
const PUT: &str = "put";

const ON_SQLITE: &[Row] = &[
    Row { name: BARE, of: 0, least: None },
    Row { name: REVEAL, of: 0, least: Some(0.20) },
    Row { name: PUT, of: 0, least: Some(0.07) },
];
const ON_POSTGRES: &[Row] = &[
    Row { name: BARE, of: 0, least: None },
    Row { name: READ, of: 1, least: None },
    Row { name: INSERT, of: 2, least: None },
    Row { name: REVEAL, of: 1, least: Some(0.25) },
    Row { name: PUT, of: 2, least: Some(0.5) },
];

/// Measures and prints; whether the shares are as high as they should be, or nobody asked.
fn measure(arguments: &Arguments) -> Outcome<bool> {
    strongroom::build()?;
    if cfg!(debug_assertions) {
        eprintln!("bench: this is no release build; its figures mean nothing");
    }
    let beside = std::env::current_exe()?.with_file_name("");
    let folder = tempfile::tempdir_in(arguments.folder.as_ref().unwrap_or(&beside))?;
    let bare = bare::Bare::start()?;
    let pgbench = arguments.postgres.then(|| Pgbench::start(folder.path())).transpose()?;
    let database = pgbench.as_ref().map(|pgbench| pgbench.database("strongroom")).transpose()?;
    let strongroom = strongroom::Strongroom::start(folder.path(), arguments.secrets, database.as_deref())?;
    let rows = if arguments.postgres { ON_POSTGRES } else { ON_SQLITE };
    let mut high_enough = true;
    for &connections in &arguments.connections {
        let (get, reveals, puts) =
            (Arc::new(vec![bare.request()]), Arc::new(strongroom.reveals()), Arc::new(strongroom.puts()));
        let mut report = Report::new(rows, connections, arguments.rounds, arguments.seconds);
        for round in 1..=arguments.rounds {
            eprintln!("bench: {connections} connections, round {round} of {}", arguments.rounds);
            let shots = Shots { connections, duration: Duration::from_secs(arguments.seconds) };
            report.fsync(probe::fdatasync(folder.path())?);
            report.add(BARE, shots.fire(bare.address(), bare.pid(), &get)?);
            if let Some(pgbench) = &pgbench {
                report.add(READ, pgbench.read(shots.duration)?);
            }
            report.add(REVEAL, shots.fire(strongroom.address(), strongroom.pid(), &reveals)?);
            if let Some(pgbench) = &pgbench {
                report.add(INSERT, pgbench.insert(shots.duration)?);
            }
            report.add(PUT, shots.fire(strongroom.address(), strongroom.pid(), &puts)?);
        }
        match arguments.json {
            true => println!("{}", report.to_json()),
            false => println!("{}", report.to_table()),
        }
        high_enough &= report.is_high_enough();
    }
    strongroom.stop();
    Ok(high_enough || !arguments.check)
}
