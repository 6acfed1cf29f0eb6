//! What the audit log costs: reveals and puts of the server with its log as it is, against the same server with a log that is thrown
//! away. No configuration does that, so both are put together here: the same store, KMS, engine and HTTP, each a process of its own.
#![expect(clippy::disallowed_methods, reason = "measures real processes by the real clock")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "prints what it measured")]

mod discard;
#[path = "../bench/load.rs"]
mod load;
#[path = "../bench/probe.rs"]
mod probe;
#[path = "../bench/report.rs"]
#[expect(dead_code, reason = "this checks no shares, and has no tests of its own")]
#[cfg_attr(test, expect(unused_imports, reason = "of the tests, which the other benchmark runs"))]
mod report;
mod serve;
mod site;

use clap::Parser;
use load::Shots;
use report::{Report, Row};
use serve::Log;
use site::Site;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// As in the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Any failure ends the run.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// Reveals and puts with the audit log, and without, in turns.
#[derive(Parser)]
#[command(name = "audit_cost")]
struct Arguments {
    /// How many keep-alive connections
    #[arg(long, default_value_t = 32, value_name = "N")]
    connections: usize,
    /// How many times each takes its turn
    #[arg(long, default_value_t = 5, value_name = "N")]
    rounds: usize,
    /// How long one turn takes
    #[arg(long, default_value_t = 3, value_name = "N")]
    seconds: u64,
    /// Over how many secrets reveals and puts go
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    secrets: usize,
    /// Where the stores are made; its disk is what is measured [default: beside this program]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Be a server over a new store in this folder
    #[arg(long, hide = true)]
    serve: Option<PathBuf>,
    /// … which throws its log away
    #[arg(long, hide = true)]
    discard: bool,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.serve {
        Some(folder) => serve::serve(folder, if arguments.discard { Log::Discarded } else { Log::AsItIs }),
        None => measure(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("audit_cost: {error}");
            ExitCode::FAILURE
        }
    }
}

const REVEAL_WITHOUT: &str = "reveal, no log";
const REVEAL: &str = "reveal";
const PUT_WITHOUT: &str = "put, no log";
const PUT: &str = "put";

const ROWS: &[Row] = &[
    Row { name: REVEAL_WITHOUT, of: 0, least: None },
    Row { name: REVEAL, of: 0, least: None },
    Row { name: PUT_WITHOUT, of: 2, least: None },
    Row { name: PUT, of: 2, least: None },
];

fn measure(arguments: &Arguments) -> Outcome<()> {
    if cfg!(debug_assertions) {
        eprintln!("audit_cost: this is no release build; its figures mean nothing");
    }
    let beside = std::env::current_exe()?.with_file_name("");
    let folder = tempfile::tempdir_in(arguments.folder.as_ref().unwrap_or(&beside))?;
    let without = Site::start(&folder.path().join("discarded"), Log::Discarded, arguments.secrets)?;
    let with = Site::start(&folder.path().join("as-it-is"), Log::AsItIs, arguments.secrets)?;
    let mut report = Report::new(ROWS, arguments.connections, arguments.rounds, arguments.seconds);
    let shots = Shots { connections: arguments.connections, duration: Duration::from_secs(arguments.seconds) };
    for round in 1..=arguments.rounds {
        eprintln!("audit_cost: round {round} of {}", arguments.rounds);
        report.fsync(probe::fdatasync(folder.path())?);
        for (site, reveal, put) in [(&without, REVEAL_WITHOUT, PUT_WITHOUT), (&with, REVEAL, PUT)] {
            report.add(reveal, shots.fire(site.address(), site.pid(), &Arc::new(site.reveals()))?);
            report.add(put, shots.fire(site.address(), site.pid(), &Arc::new(site.puts()))?);
        }
    }
    match arguments.json {
        true => println!("{}", report.to_json()),
        false => println!("{}", report.to_table()),
    }
    Ok(())
}
