//! Runs a command with a PostgreSQL cluster around it that its tests share: `strongroom-test-postgres run -- COMMAND…`.
//!
//! Gives the exit code of the command on; 1 when the cluster can't be started, 2 when the arguments are wrong.
#![expect(clippy::print_stderr, reason = "tells its user why it can't go on")]

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitCode, ExitStatus};
use strongroom_test_postgres::{Cluster, SHARED_CLUSTER};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [run, dashes, line @ ..] = &arguments[..] else { return usage() };
    let [program, rest @ ..] = line else { return usage() };
    if run != "run" || dashes != "--" {
        return usage();
    }
    let cluster = match Cluster::try_start_shared() {
        Ok(cluster) => cluster,
        Err(error) => {
            eprintln!("error: {}", error.in_full());
            return ExitCode::FAILURE;
        }
    };
    // When this is killed, the command must not go on without its cluster.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]).arg(program).args(rest);
    let ended = command.env(SHARED_CLUSTER, cluster.socket_url("postgres")).status();
    match ended {
        Ok(status) => ExitCode::from(code(status)),
        Err(error) => {
            eprintln!("error: setpriv can't be run: {error}: install it (Debian, Ubuntu: util-linux)");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: strongroom-test-postgres run -- COMMAND [ARGUMENT…]");
    ExitCode::from(2)
}

/// As a shell has it: 128 and the signal, when one ended the command.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
