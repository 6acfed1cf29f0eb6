use crate::account::Account;
use crate::programs::Programs;
use crate::{Error, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// How much of the log an error shows, in lines.
const LOG_LINES: usize = 30;

/// The server's first process, the parent of all its others. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Postmaster(Child);

impl Postmaster {
    /// Starts it. It may not be ready yet.
    pub(crate) fn start(
        programs: &Programs,
        account: Account,
        data: &Path,
        settings: &Path,
        log: &Path,
    ) -> Result<Self, Error> {
        let open = File::options().create(true).append(true).open(log).map_err(Error::system("opening the log"))?;
        let mut command: Command = account.command(&programs.path("postgres"));
        command.arg("-D").arg(data).arg("-c").arg(format!("config_file={}", settings.display())).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::from(open));
        // What interrupts the tests as a group must not stop it under them.
        command.process_group(0);
        command.spawn().map(Self).map_err(Error::system("starting postgres"))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Waits until it takes connections.
    pub(crate) fn wait_until_ready(&mut self, data: &Path, log: &Path) -> Result<(), Error> {
        let pid = self.pid().to_string();
        let ready = wait_for(|| {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return Some(false);
            }
            // Its lines: process, data directory, start time, port, socket folder, address, shared memory, status.
            let file = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
            let lines: Vec<&str> = file.lines().map(str::trim).collect();
            (lines.first() == Some(&&*pid) && lines.get(7) == Some(&"ready")).then_some(true)
        });
        if ready == Some(true) { Ok(()) } else { Err(Error::NotStarted { log: end_of(log) }) }
    }

    /// Stops it with a signal, and waits until it has ended. Whether it did.
    pub(crate) fn stop(&mut self, signal: Signal) -> bool {
        self.signal(signal);
        wait_for(|| self.0.try_wait().ok().flatten()).is_some()
    }

    /// Kills it and its children, all without a chance to write anything, and waits until they are gone.
    pub(crate) fn kill(&mut self) {
        if !matches!(self.0.try_wait(), Ok(None)) {
            return;
        }
        // While it stands still it starts no more.
        self.signal(Signal::STOP);
        let children = children(self.pid());
        self.signal(Signal::KILL);
        for &child in &children {
            send(child, Signal::KILL);
        }
        let _ = self.0.wait();
        wait_for(|| children.iter().all(|&child| has_ended(child)).then_some(()));
    }

    fn signal(&self, signal: Signal) {
        send(self.pid(), signal);
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A process that has ended can't be signalled, which is as good.
fn send(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// State and parent of a process: what follows the name, which is in parentheses and may hold any characters.
fn state(pid: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn children(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    processes.filter(|&pid| state(pid).is_some_and(|(_, its_parent)| its_parent == parent)).collect()
}

/// Gone, or only waited for by whoever has inherited it.
fn has_ended(pid: u32) -> bool {
    state(pid).is_none_or(|(state, _)| matches!(state, 'Z' | 'X'))
}

fn end_of(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}
