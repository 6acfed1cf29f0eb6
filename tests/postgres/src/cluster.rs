use crate::account::Account;
use crate::postmaster::Postmaster;
use crate::programs::Programs;
use crate::watchdog::Watchdog;
use crate::{Builder, Database, Error, Rows, psql};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;

/// How a cluster stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Ends the sessions, rolls back what they had open, and writes a checkpoint.
    Fast,
    /// Ends at once, without a checkpoint; the next start recovers.
    Immediate,
}

/// Where the parts of a cluster lie, and whose they are.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) programs: Programs,
    pub(crate) account: Account,
    pub(crate) folder: TempDir,
    pub(crate) data: PathBuf,
    pub(crate) tls: bool,
}

impl Layout {
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.file("authority.crt")
    }

    fn log(&self) -> PathBuf {
        self.file("log")
    }
}

/// A PostgreSQL cluster in a folder of its own. Stopped and removed when dropped, and when this process ends in any way.
///
/// Its superuser is `postgres`, and everyone is let in without a password.
#[derive(Debug)]
pub struct Cluster {
    state: Mutex<State>,
    pub(crate) port: u16,
    layout: Layout,
}

#[derive(Debug)]
struct State {
    postmaster: Option<Postmaster>,
    watchdog: Watchdog,
    settings: BTreeMap<String, String>,
}

impl Cluster {
    /// A new cluster as it comes, started.
    ///
    /// # Panics
    /// When it can't be started.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// A cluster that is to be different.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn new(layout: Layout, watchdog: Watchdog, settings: BTreeMap<String, String>) -> Self {
        Self { state: Mutex::new(State { postmaster: None, watchdog, settings }), port: 0, layout }
    }

    /// A new, empty database in it.
    ///
    /// # Panics
    /// When it can't be created.
    #[must_use]
    #[track_caller]
    pub fn database(&self) -> Database {
        let created = Database::create(self.layout.programs.clone(), &self.socket_url("postgres"), false);
        created.unwrap_or_else(|error| error.panic())
    }

    /// The URL of a database over the Unix socket.
    #[must_use]
    pub fn socket_url(&self, database: &str) -> String {
        let folder = self.layout.folder.path().to_string_lossy().replace('/', "%2F");
        format!("postgres://postgres@{folder}:{}/{database}", self.port)
    }

    /// The URL of a database over TCP on the loopback address. It says nothing about TLS.
    #[must_use]
    pub fn tcp_url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The URL of a database over TLS, with the server's certificate checked. For a cluster made with [`Builder::tls`].
    #[must_use]
    pub fn tls_url(&self, database: &str) -> String {
        let authority = self.authority();
        format!("{}?sslmode=verify-full&sslrootcert={}", self.tcp_url(database), authority.display())
    }

    /// The file with the authority of the server's certificate, as PEM. For a cluster made with [`Builder::tls`].
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.layout.authority()
    }

    /// Runs statements in a database as the superuser, each on its own, and gives their rows.
    ///
    /// # Panics
    /// When one fails.
    #[track_caller]
    pub fn sql(&self, database: &str, sql: &str) -> Rows {
        self.try_sql(database, sql).unwrap_or_else(|error| error.panic())
    }

    /// Runs statements in a database as the superuser, each on its own, and gives their rows.
    ///
    /// # Errors
    /// When one fails; those after it are not run.
    pub fn try_sql(&self, database: &str, sql: &str) -> Result<Rows, Error> {
        psql::run(&self.layout.programs, &self.socket_url(database), sql)
    }

    /// The server's first process.
    ///
    /// # Panics
    /// When it doesn't run.
    #[must_use]
    #[track_caller]
    pub fn pid(&self) -> u32 {
        let Some(pid) = self.state().postmaster.as_ref().map(Postmaster::pid) else { panic!("the cluster is stopped") };
        pid
    }

    /// Sets a parameter of `postgresql.conf`, from the next start.
    pub fn set(&self, name: &str, value: &str) {
        self.state().settings.insert(name.to_owned(), value.to_owned());
    }

    /// Stops it. Does nothing when it is stopped.
    ///
    /// # Panics
    /// When it does not stop in time.
    #[track_caller]
    pub fn stop(&self, mode: Mode) {
        let signal = match mode {
            Mode::Fast => Signal::INT,
            Mode::Immediate => Signal::QUIT,
        };
        let mut state = self.state();
        let stopped = state.postmaster.as_mut().is_none_or(|postmaster| postmaster.stop(signal));
        assert!(stopped, "the cluster does not stop");
        state.forget_postmaster();
    }

    /// Kills all its processes with SIGKILL, and waits until they are gone.
    pub fn kill(&self) {
        self.state().forget_postmaster();
    }

    /// Starts it again, with the same data, at the same address.
    ///
    /// # Panics
    /// When it runs, or does not start.
    #[track_caller]
    pub fn start_again(&self) {
        self.try_start_again().unwrap_or_else(|error| error.panic());
    }

    /// Starts it again, with the same data, at the same address.
    ///
    /// # Errors
    /// When it does not start.
    ///
    /// # Panics
    /// When it runs.
    #[track_caller]
    pub fn try_start_again(&self) -> Result<(), Error> {
        let mut state = self.state();
        assert!(state.postmaster.is_none(), "the cluster runs");
        let Layout { programs, account, data, .. } = &self.layout;
        let (settings, log) = (self.layout.file("postgresql.conf"), self.layout.log());
        std::fs::write(&settings, self.configuration(&state.settings))
            .map_err(Error::system("writing the settings"))?;
        account.give(&settings, 0o644)?;
        let mut postmaster = Postmaster::start(programs, *account, data, &settings, &log)?;
        state.watchdog.watch(Some(postmaster.pid()))?;
        if let Err(error) = postmaster.wait_until_ready(data, &log) {
            drop(postmaster);
            state.watchdog.watch(None)?;
            return Err(error);
        }
        state.postmaster = Some(postmaster);
        Ok(())
    }

    /// All that it logged.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.layout.log()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.layout.data
    }

    pub(crate) fn forget_log(&self) -> Result<(), Error> {
        std::fs::write(self.layout.log(), "").map_err(Error::system("emptying the log"))
    }

    /// What `initdb` found out about this machine, then ours.
    fn configuration(&self, settings: &BTreeMap<String, String>) -> String {
        let mut ours = BTreeMap::from([
            ("listen_addresses", "127.0.0.1".to_owned()),
            ("port", self.port.to_string()),
            ("unix_socket_directories", self.layout.folder.path().display().to_string()),
            ("log_line_prefix", "%m [%p] %d ".to_owned()),
        ]);
        if self.layout.data.starts_with(self.layout.folder.path()) {
            // As files of the data directory, the parts of shared memory end with it, even when the server was killed.
            ours.insert("dynamic_shared_memory_type", "mmap".to_owned());
        }
        if self.layout.tls {
            ours.insert("ssl", "on".to_owned());
            for (name, file) in
                [("ssl_cert_file", "server.crt"), ("ssl_key_file", "server.key"), ("hba_file", "hba.conf")]
            {
                ours.insert(name, self.layout.file(file).display().to_string());
            }
        }
        ours.extend(settings.iter().map(|(name, value)| (name.as_str(), value.clone())));
        let mut text = format!("include {}\n", quoted(&self.layout.data.join("postgresql.conf").to_string_lossy()));
        for (name, value) in ours {
            // A string takes any text.
            let _ = writeln!(text, "{name} = {}", quoted(&value));
        }
        text
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Its drop kills what is left.
    fn forget_postmaster(&mut self) {
        self.postmaster = None;
        // Without a watchdog there is nobody to tell.
        let _ = self.watchdog.watch(None);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut state = self.state();
        if let Some(postmaster) = &mut state.postmaster {
            postmaster.stop(Signal::QUIT);
        }
        // The watchdog removes the folders when it is dropped.
        state.forget_postmaster();
    }
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}
