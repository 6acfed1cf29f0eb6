use crate::{Server, database_of, wait_for};
use core::net::SocketAddr;
use core::time::Duration;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use tempfile::TempDir;

/// How long a command may run, and a start or stop may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The server's binary: `$STRONGROOMD`, or the one beside this test.
///
/// # Panics
/// When it isn't built.
#[must_use]
pub fn strongroomd() -> PathBuf {
    let path = std::env::var_os("STRONGROOMD").map(PathBuf::from).unwrap_or_else(|| {
        let here = std::env::current_exe().expect("the path of this program");
        // A test lies in target/<profile>/deps, a program in target/<profile>.
        let depth = if here.parent().is_some_and(|folder| folder.ends_with("deps")) { 2 } else { 1 };
        here.ancestors().nth(depth).expect("a place below target").join("strongroomd")
    });
    assert!(path.is_file(), "{} is missing: run `cargo build -p strongroomd` first", path.display());
    path
}

/// A command line of `strongroomd`, to be run.
pub struct Launch {
    wrapper: Vec<OsString>,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    folder: Option<PathBuf>,
    dev_data: Option<PathBuf>,
}

impl Launch {
    /// Any command line.
    #[must_use]
    pub fn new(arguments: &[&dyn AsRef<OsStr>]) -> Self {
        let arguments = arguments.iter().map(|argument| argument.as_ref().to_owned()).collect();
        Self { wrapper: Vec::new(), arguments, variables: Vec::new(), folder: None, dev_data: None }
    }

    /// `dev` over this data directory, on a free port.
    #[must_use]
    pub fn dev(data: &Path) -> Self {
        let mut launch = Self::new(&[&"dev", &"--data", &data, &"--listen", &"127.0.0.1:0"]);
        launch.dev_data = Some(data.to_owned());
        launch
    }

    /// `serve` with this configuration. To be waited for, it must log at `info`: there it tells its port.
    #[must_use]
    pub fn serve(config: &Path) -> Self {
        Self::new(&[&"serve", &"--config", &config])
    }

    /// `init` with this configuration.
    #[must_use]
    pub fn init(config: &Path) -> Self {
        Self::new(&[&"init", &"--config", &config])
    }

    /// `operator`, on the server that listens at this address, with the operator's token of this data directory.
    #[must_use]
    pub fn operator(address: SocketAddr, data: &Path, arguments: &[&str]) -> Self {
        let launch = Self::new(&[&"operator", &"--addr", &format!("http://{address}"), &"--data", &data]);
        arguments.iter().fold(launch, Self::argument)
    }

    /// `rootkey`, on the server that listens at this address, with the operator's token of this data directory.
    #[must_use]
    pub fn root_key(address: SocketAddr, data: &Path, arguments: &[&str]) -> Self {
        let launch = Self::new(&[&"rootkey"]);
        let launch = arguments.iter().fold(launch, Self::argument);
        launch.argument("--addr").argument(format!("http://{address}")).argument("--data").argument(data)
    }

    /// One argument more.
    #[must_use]
    pub fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Sets how much is logged: `error` to `trace`.
    #[must_use]
    pub fn log(self, level: &str) -> Self {
        self.variable("STRONGROOM_LOG", level)
    }

    /// Runs it in this directory.
    #[must_use]
    pub fn folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// Runs it under another command, such as `strace -f -o FILE`.
    #[must_use]
    pub fn under(mut self, wrapper: &[&dyn AsRef<OsStr>]) -> Self {
        self.wrapper = wrapper.iter().map(|argument| argument.as_ref().to_owned()).collect();
        self
    }

    /// Starts a server and waits until it is ready.
    ///
    /// # Panics
    /// When it ends instead.
    #[must_use]
    #[track_caller]
    pub fn start(self) -> Server {
        self.try_start().unwrap_or_else(|ended| panic!("the server ended: {ended:?}"))
    }

    /// Starts a server and waits until it is ready, or has ended.
    ///
    /// # Errors
    /// How it ended.
    pub fn try_start(self) -> Result<Server, Ended> {
        let data = self.dev_data.clone();
        Server::wait_until_ready(self.spawn(), data)
    }

    /// Starts a command, and waits for nothing.
    #[must_use]
    pub fn begin(self) -> Begun {
        Begun(self.spawn())
    }

    /// Runs a command that ends by itself.
    ///
    /// # Panics
    /// When it doesn't.
    #[must_use]
    #[track_caller]
    pub fn run(self) -> Ended {
        let mut process = self.spawn();
        let status = process.wait(PATIENCE);
        let status = status.unwrap_or_else(|| panic!("it still runs: {} {}", process.stdout(), process.stderr()));
        process.ended(status)
    }

    /// The data directory, as the arguments or the configuration that they name tell it.
    fn data(&self) -> Option<PathBuf> {
        let after = |name: &str| {
            let at = self.arguments.iter().position(|argument| argument == name)?;
            self.arguments.get(at + 1).map(PathBuf::from)
        };
        let folder = self.folder.clone().unwrap_or_default();
        if let Some(data) = after("--data") {
            return Some(folder.join(data));
        }
        let config = folder.join(after("--config")?);
        let text = std::fs::read_to_string(&config).ok()?;
        let value = text.lines().find_map(|line| line.strip_prefix("data_dir")?.trim().strip_prefix('='))?;
        Some(config.parent()?.join(value.trim().trim_matches('"')))
    }

    fn spawn(self) -> Process {
        let outputs = tempfile::tempdir().expect("a temporary directory");
        let output = |name: &str| Stdio::from(File::create(outputs.path().join(name)).expect("a temporary file"));
        let database = self.data().and_then(|data| database_of(&data));
        let mut line = self.wrapper;
        line.push(strongroomd().into_os_string());
        line.extend(self.arguments);
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]);
        // What is set where the tests run says nothing about the server under test.
        for (variable, _) in std::env::vars_os() {
            let is_of_the_server = variable.to_str().is_some_and(|name| name.starts_with("STRONGROOM_"));
            if is_of_the_server {
                command.env_remove(variable);
            }
        }
        if let Some(database) = database {
            command.env("STRONGROOM_DATABASE", database.url());
        }
        command.envs(self.variables);
        command.stdin(Stdio::null()).stdout(output("stdout")).stderr(output("stderr"));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        let child = command.spawn().unwrap_or_else(|error| panic!("{line:?} can't be run: {error}"));
        Process { child, outputs }
    }
}

/// A command that runs. Killed when dropped.
pub struct Begun(Process);

impl Begun {
    /// The process, or that of the command that it runs under.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.child.id()
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When it has ended.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("a running command");
    }

    /// Waits so long until it ends.
    ///
    /// # Panics
    /// When it doesn't.
    #[must_use]
    #[track_caller]
    pub fn wait(mut self, limit: Duration) -> Ended {
        let status = self.0.wait(limit);
        let status = status.unwrap_or_else(|| panic!("it still runs: {} {}", self.0.stdout(), self.0.stderr()));
        self.0.ended(status)
    }
}

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// All that it wrote to standard output.
    pub stdout: String,
    /// All that it wrote to standard error.
    pub stderr: String,
}

/// A process and what it writes. Killed when dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) outputs: TempDir,
}

impl Process {
    pub(crate) fn stdout(&self) -> String {
        self.read("stdout")
    }

    pub(crate) fn stderr(&self) -> String {
        self.read("stderr")
    }

    fn read(&self, name: &str) -> String {
        let bytes = std::fs::read(self.outputs.path().join(name)).expect("the output of the server");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(crate) fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        wait_for(limit, || self.child.try_wait().expect("a child can be waited for"))
    }

    pub(crate) fn ended(&self, status: ExitStatus) -> Ended {
        Ended { code: status.code(), stdout: self.stdout(), stderr: self.stderr() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
