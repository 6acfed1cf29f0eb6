use crate::launch::{PATIENCE, Process};
use crate::{Client, Connection, Ended, Launch, wait_for};
use core::net::SocketAddr;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What `dev` writes to `DIR/dev.env`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevEnv {
    /// Where it listens, as a URL.
    pub address: String,
    /// The owner's token.
    pub token: String,
    /// The organisation.
    pub organisation: String,
    /// The region.
    pub region: String,
    /// The identity of the key.
    pub kms_key: String,
}

impl DevEnv {
    /// Reads the file of a data directory; none while it isn't there or whole.
    #[must_use]
    pub fn read(data: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(data.join("dev.env")).ok()?;
        let mut values = BTreeMap::new();
        for line in text.lines().filter_map(|line| line.strip_prefix("export ")) {
            let (name, value) = line.split_once('=')?;
            values.insert(name, value.trim_matches(['\'', '"']).to_owned());
        }
        let mut take = |name| values.remove(name);
        Some(Self {
            address: take("STRONGROOM_ADDR")?,
            token: take("STRONGROOM_TOKEN")?,
            organisation: take("STRONGROOM_ORGANISATION")?,
            region: take("STRONGROOM_REGION")?,
            kms_key: take("STRONGROOM_KMS_KEY")?,
        })
    }
}

/// A running server. Killed when dropped.
pub struct Server {
    process: Process,
    address: SocketAddr,
    env: Option<DevEnv>,
}

impl Server {
    /// Starts `dev` over this data directory, on a free port, and waits until it is ready.
    ///
    /// # Panics
    /// When it ends instead.
    #[must_use]
    #[track_caller]
    pub fn dev(data: &Path) -> Self {
        Launch::dev(data).start()
    }

    pub(crate) fn wait_until_ready(mut process: Process, data: Option<PathBuf>) -> Result<Self, Ended> {
        let ready = wait_for(PATIENCE, || {
            if let Some(status) = process.child.try_wait().expect("a child can be waited for") {
                return Some(Err(process.ended(status)));
            }
            let address = announced(&process.stdout()).or_else(|| listening(&process.stderr()))?;
            // The file of the last start may still be there, with another port.
            let env = data.as_deref().and_then(DevEnv::read);
            if data.is_some() && !env.as_ref()?.address.ends_with(&format!(":{}", address.port())) {
                return None;
            }
            is_ready(address).then_some(Ok((address, env)))
        });
        let ready = ready.unwrap_or_else(|| panic!("not ready in time: {} {}", process.stdout(), process.stderr()));
        ready.map(|(address, env)| Self { process, address, env })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process, or that of the command that it runs under.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// What `dev` wrote.
    ///
    /// # Panics
    /// When this isn't `dev`.
    #[must_use]
    #[track_caller]
    pub const fn dev_env(&self) -> &DevEnv {
        self.env.as_ref().expect("a server that was started with `dev`")
    }

    /// The owner whom `dev` made.
    ///
    /// # Panics
    /// When this isn't `dev`.
    #[must_use]
    #[track_caller]
    pub fn client(&self) -> Client {
        Client::of_dev(self.address, self.dev_env())
    }

    /// What it has written to standard output.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.process.stdout()
    }

    /// What it has written to standard error.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.process.stderr()
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When it has ended.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("a running server");
    }

    /// Waits until it ends.
    ///
    /// # Panics
    /// When it doesn't.
    #[must_use]
    #[track_caller]
    pub fn wait(mut self) -> Ended {
        let status = self.process.wait(PATIENCE);
        let status = status.unwrap_or_else(|| panic!("it still runs: {}", self.process.stderr()));
        self.process.ended(status)
    }

    /// Stops it with SIGTERM, and makes sure that it ends well.
    ///
    /// # Panics
    /// When it doesn't.
    #[track_caller]
    pub fn stop(self) -> Ended {
        self.signal(Signal::TERM);
        let ended = self.wait();
        assert_eq!(ended.code, Some(0), "it stopped badly: {ended:?}");
        ended
    }

    /// Kills it with SIGKILL and waits until it is gone.
    pub fn kill(mut self) -> Ended {
        self.process.child.kill().expect("a running server");
        let status = self.process.child.wait().expect("a child can be waited for");
        self.process.ended(status)
    }
}

/// The first loopback address with a port in a server's output.
fn announced(output: &str) -> Option<SocketAddr> {
    output.match_indices("127.0.0.1:").find_map(|(at, start)| {
        let port: String = output[at + start.len()..].chars().take_while(char::is_ascii_digit).collect();
        let port: u16 = port.parse().ok().filter(|port| *port != 0)?;
        Some(SocketAddr::from(([127, 0, 0, 1], port)))
    })
}

/// A log may name other addresses before, such as those of receivers in the configuration.
fn listening(log: &str) -> Option<SocketAddr> {
    log.lines().filter(|line| line.contains("listening")).find_map(announced)
}

fn is_ready(address: SocketAddr) -> bool {
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    Connection::open(address).is_ok_and(|mut connection| {
        connection.send(request.as_bytes()).is_ok() && connection.answer().is_ok_and(|answer| answer.status < 300)
    })
}
