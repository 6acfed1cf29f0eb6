//! What the process does first: it closes itself to others, and takes the room that it may have.

use crate::failure::Failure;
use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};

/// No core dumps, no attaching by other processes of the same user, and no file that others may read.
pub(crate) fn harden() -> Result<(), Failure> {
    let refused = |what: &str, error: rustix::io::Errno| {
        Failure::runtime(format!("the operating system refused to switch off {what}")).because(error)
    };
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
        .map_err(|error| refused("core dumps", error))?;
    // Whoever traces the process from its start on sees everything anyway; half of it would only mislead them.
    #[cfg(target_os = "linux")]
    if !is_traced() {
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
            .map_err(|error| refused("access to this process's memory", error))?;
    }
    umask(Mode::RWXG | Mode::RWXO);
    Ok(())
}

/// Whether a debugger started this process.
#[cfg(target_os = "linux")]
fn is_traced() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|pid| pid.trim() != "0")
}

/// As many open files as the operating system allows this process: each connection is one.
pub(crate) fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    // The lower limit serves too, only fewer connections.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}
