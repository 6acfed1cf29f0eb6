//! A server, and a person who types commands.
#![expect(clippy::unwrap_used, reason = "its callers are tests")]

use pty_process::Size;
use pty_process::blocking::{Command as PtyCommand, Pty};
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use strongroom_tests::{Client, Server, wait_for};
use tempfile::TempDir;

/// How long is waited for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_strongroom");

/// A server, and a home directory for the command line.
pub(crate) struct Home {
    pub(crate) server: Server,
    pub(crate) folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::dev(&folder.path().join("data"));
        Self { server, folder }
    }

    /// The same caller by plain HTTP.
    pub(crate) fn client(&self) -> Client {
        self.server.client()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command, with everything in its environment that `dev` tells.
    pub(crate) fn command(&self, arguments: &[&str]) -> Run {
        let env = self.server.dev_env();
        self.bare(arguments)
            .env("STRONGROOM_ADDR", &env.address)
            .env("STRONGROOM_TOKEN", &env.token)
            .env("STRONGROOM_ORGANISATION", &env.organisation)
            .env("STRONGROOM_REGION", &env.region)
            .env("STRONGROOM_KMS_KEY", &env.kms_key)
    }

    /// A command with nothing in its environment but where its configuration lies.
    pub(crate) fn bare(&self, arguments: &[&str]) -> Run {
        Run::new(arguments, self.folder.path())
    }

    /// A command that must do well; gives what it printed.
    #[track_caller]
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        self.command(arguments).ok()
    }

    /// The same, with something on standard input.
    #[track_caller]
    pub(crate) fn feed(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> String {
        self.command(arguments).input(input).ok()
    }

    /// The same with `--json`.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let text = self.ok(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// What a secret's current value is, by plain HTTP.
    #[track_caller]
    pub(crate) fn value(&self, path: &str) -> Vec<u8> {
        let answer = self.client().reveal(path, None).ok(200);
        strongroom_tests::unbase64(answer["secretString"].as_str().unwrap())
    }
}

/// A command line that is put together.
pub(crate) struct Run {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    input: Vec<u8>,
    stdout: Option<Stdio>,
    before: Option<String>,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn new(arguments: &[&str], home: &Path) -> Self {
        let config = home.join("config.toml").into_os_string().into_string().unwrap();
        let environment = vec![
            ("STRONGROOM_CONFIG".to_owned(), config),
            ("HOME".to_owned(), home.to_str().unwrap().to_owned()),
            ("PATH".to_owned(), std::env::var("PATH").unwrap()),
            ("TERM".to_owned(), "xterm-256color".to_owned()),
        ];
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { arguments, environment, input: Vec::new(), stdout: None, before: None }
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.environment.retain(|(other, _)| other != name);
        self.environment.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.environment.retain(|(other, _)| other != name);
        self
    }

    pub(crate) fn input(mut self, input: impl AsRef<[u8]>) -> Self {
        self.input = input.as_ref().to_vec();
        self
    }

    /// Standard output goes there.
    pub(crate) fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdout = Some(stdout.into());
        self
    }

    /// It is started by a shell that ignores these signals.
    pub(crate) fn ignoring(mut self, signals: &str) -> Self {
        self.before = Some(format!("trap '' {signals}"));
        self
    }

    /// It can write no byte into a file, as on a full disk.
    pub(crate) fn without_room(mut self) -> Self {
        self.before = Some("trap '' XFSZ; ulimit -f 0".to_owned());
        self
    }

    /// It can open one file more than the three that it has.
    pub(crate) fn without_files(mut self) -> Self {
        self.before = Some("ulimit -n 4".to_owned());
        self
    }

    /// Starts it without a terminal of its own: nobody can be asked.
    pub(crate) fn start(self) -> Child {
        let mut command = Command::new("setsid");
        command.arg("--wait");
        if let Some(before) = &self.before {
            command.args(["sh", "-c", &format!("{before}; exec \"$0\" \"$@\"")]);
        }
        command.arg(PROGRAM).args(&self.arguments);
        command.env_clear().envs(self.environment);
        command.stdin(Stdio::piped()).stdout(self.stdout.unwrap_or_else(Stdio::piped)).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // It may end without reading it.
        std::thread::spawn(move || stdin.write_all(&self.input));
        child
    }

    #[track_caller]
    pub(crate) fn run(self) -> Done {
        let output = self.start().wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{stderr}");
        Done { code: output.status.code(), stdout: output.stdout, stderr }
    }

    /// Runs it; it must do well. Gives what it printed.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        let done = self.run();
        assert_eq!(done.code, Some(0), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    /// Runs it; it must fail so, print nothing, and say what to do next. Gives what it said.
    #[track_caller]
    pub(crate) fn fails(self, code: i32) -> String {
        let done = self.run();
        assert_eq!(done.code, Some(code), "{done:?}");
        assert!(done.stdout.is_empty(), "{done:?}");
        assert!(done.stderr.contains("next:") || code == 130, "no hint: {done:?}");
        done.stderr
    }

    /// Starts it on a terminal of so many columns.
    pub(crate) fn on_terminal(self, columns: u16) -> Typist {
        let (pty, pts) = pty_process::blocking::open().unwrap();
        pty.resize(Size::new(24, columns)).unwrap();
        let command = PtyCommand::new(PROGRAM).args(&self.arguments).env_clear().envs(self.environment);
        let child = command.spawn(pts).unwrap();
        Typist::new(pty, child)
    }
}

/// A person before a terminal on which a command runs.
pub(crate) struct Typist {
    pty: Arc<Pty>,
    child: Mutex<Child>,
    shown: Arc<Mutex<Vec<u8>>>,
    reader: Mutex<Option<JoinHandle<()>>>,
}

impl Typist {
    fn new(pty: Pty, child: Child) -> Self {
        let pty = Arc::new(pty);
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (from, to) = (Arc::clone(&pty), Arc::clone(&shown));
        let reader = std::thread::spawn(move || {
            let mut part = [0; 4096];
            // A terminal that nobody holds any more is an error.
            while let Ok(length @ 1..) = (&*from).read(&mut part) {
                to.lock().unwrap().extend_from_slice(&part[..length]);
            }
        });
        Self { pty, child: Mutex::new(child), shown, reader: Mutex::new(Some(reader)) }
    }

    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// Waits until this is shown.
    #[track_caller]
    pub(crate) fn sees(&self, text: &str) -> &Self {
        let seen = wait_for(PATIENCE, || self.shown().contains(text).then_some(()));
        assert!(seen.is_some(), "never saw {text:?} in {:?}", self.shown());
        self
    }

    pub(crate) fn types(&self, text: &str) -> &Self {
        (&*self.pty).write_all(text.as_bytes()).unwrap();
        self
    }

    /// Whether what is typed is shown.
    pub(crate) fn echoes(&self) -> bool {
        let modes = rustix::termios::tcgetattr(&*self.pty).unwrap().local_modes;
        modes.contains(rustix::termios::LocalModes::ECHO)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    /// Waits for its end: the exit code, and all that was shown.
    #[track_caller]
    pub(crate) fn ends(&self) -> (Option<i32>, String) {
        let status = wait_for(PATIENCE, || self.child.lock().unwrap().try_wait().unwrap());
        let Some(status) = status else { panic!("it still runs: {:?}", self.shown()) };
        self.reader.lock().unwrap().take().unwrap().join().unwrap();
        let shown = String::from_utf8_lossy(&self.shown.lock().unwrap()).replace("\r\n", "\n");
        (status.code(), shown)
    }
}

/// A file's content.
pub(crate) fn content(path: impl AsRef<Path>) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// A path as an argument.
pub(crate) fn text(path: &impl AsRef<OsStr>) -> &str {
    path.as_ref().to_str().unwrap()
}
