use crate::Error;
use crate::account::Account;
use crate::cluster::{Cluster, Layout};
use crate::programs::Programs;
use crate::tls::Certificates;
use crate::watchdog::Watchdog;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

/// Ports below those that Linux gives to outgoing connections: a cluster that starts again wants its own back.
const FIRST_PORT: u16 = 15_000;
const PORTS: u16 = 17_000;
/// How often another port is tried, when another process was faster.
const TRIES: usize = 10;

/// Where Linux keeps files in memory, and the bytes that must be free there for a cluster.
const MEMORY: &str = "/dev/shm";
const ROOM: u64 = 2 << 30;

/// The longest path of a socket, which Linux limits to 107 bytes, leaves this much to the folder above ours.
const MAX_FOLDER: usize = 60;

/// What a cluster is to be like.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    settings: BTreeMap<String, String>,
    tls: bool,
    in_memory: bool,
    data: Option<PathBuf>,
    initdb: Vec<String>,
}

impl Builder {
    /// Sets a parameter of `postgresql.conf`.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Switches TLS on, with an authority of its own; over TCP only TLS is let in then.
    #[must_use]
    pub const fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Puts the data directory there instead of into a temporary folder. It must be absent or empty, and every folder above
    /// it open to other users (mode 0711), for the server does not run as root. It is removed at the end.
    #[must_use]
    pub fn data(mut self, folder: &Path) -> Self {
        self.data = Some(folder.to_owned());
        self
    }

    /// Keeps all files in memory where there is room, else on the disk as usual. The server syncs as ever, at no cost: databases
    /// come and go several times faster.
    #[must_use]
    pub const fn in_memory(mut self) -> Self {
        self.in_memory = true;
        self
    }

    /// Adds an argument of `initdb`, such as `--wal-segsize=1` for a small disk.
    #[must_use]
    pub fn initdb_argument(mut self, argument: &str) -> Self {
        self.initdb.push(argument.to_owned());
        self
    }

    /// Makes the cluster and starts it.
    ///
    /// # Panics
    /// When it can't.
    #[must_use]
    #[track_caller]
    pub fn start(self) -> Cluster {
        self.try_start().unwrap_or_else(|error| error.panic())
    }

    /// Makes the cluster and starts it.
    ///
    /// # Errors
    /// When PostgreSQL isn't installed, or the cluster can't be made or started.
    pub fn try_start(self) -> Result<Cluster, Error> {
        let programs = Programs::find()?;
        let account = Account::choose()?;
        let folder = temporary_folder(self.in_memory).map_err(Error::system("making a temporary folder"))?;
        account.give(folder.path(), 0o711)?;
        let data = self.data.clone().unwrap_or_else(|| folder.path().join("data"));
        std::fs::create_dir_all(&data).map_err(Error::system(format!("making {}", data.display())))?;
        account.give(&data, 0o700)?;
        let watchdog = Watchdog::start(&data, folder.path())?;
        let layout = Layout { programs, account, folder, data, tls: self.tls };
        self.initdb(&layout)?;
        if self.tls {
            write_certificates(&layout)?;
        }
        let mut cluster = Cluster::new(layout, watchdog, self.settings);
        let mut ports = free_ports();
        let mut tries = 0..TRIES;
        loop {
            cluster.port = ports.next().unwrap_or(FIRST_PORT);
            match cluster.try_start_again() {
                Err(Error::NotStarted { log }) if log.contains("Address already in use") && tries.next().is_some() => {
                    cluster.forget_log()?;
                }
                started => return started.map(|()| cluster),
            }
        }
    }

    fn initdb(&self, layout: &Layout) -> Result<(), Error> {
        let mut command = layout.account.command(&layout.programs.path("initdb"));
        command.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync", "--no-instructions"]);
        // The order of a language, so that whoever needs that of bytes must ask for it.
        command.args(["--locale-provider=icu", "--icu-locale=en-US", "--locale=C"]);
        command.args(&self.initdb).arg("--pgdata").arg(&layout.data).current_dir("/");
        let output = command.output().map_err(Error::system("starting initdb"))?;
        if output.status.success() {
            return Ok(());
        }
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Error::Program { program: "initdb", output })
    }
}

/// A folder that another user can reach, with a name that is short enough for a socket in it.
fn temporary_folder(in_memory: bool) -> std::io::Result<tempfile::TempDir> {
    let mut folder = tempfile::Builder::new();
    folder.prefix("strongroom-pg-");
    if in_memory && rustix::fs::statvfs(MEMORY).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= ROOM) {
        return folder.tempdir_in(MEMORY);
    }
    let usual = std::env::temp_dir();
    folder.tempdir_in(if usual.as_os_str().len() <= MAX_FOLDER { &usual } else { Path::new("/tmp") })
}

/// Ports on which nothing listens, in an order that depends on the process.
fn free_ports() -> impl Iterator<Item = u16> {
    let first = (std::process::id() % u32::from(PORTS)) as u16;
    let ports = (0..PORTS).map(move |at| FIRST_PORT + (first.wrapping_mul(7) % PORTS + at) % PORTS);
    ports.filter(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
}

fn write_certificates(layout: &Layout) -> Result<(), Error> {
    let made = Certificates::make()?;
    let pem = [
        (layout.authority(), made.authority, 0o644),
        (layout.file("server.crt"), made.certificate, 0o644),
        (layout.file("server.key"), made.key, 0o600),
        // The socket has no TLS.
        (layout.file("hba.conf"), "local all all trust\nhostssl all all 127.0.0.1/32 trust\n".to_owned(), 0o644),
    ];
    for (path, content, mode) in pem {
        std::fs::write(&path, content).map_err(Error::system(format!("writing {}", path.display())))?;
        layout.account.give(&path, mode)?;
    }
    Ok(())
}
