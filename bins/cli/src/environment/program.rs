//! Becoming another program.

use crate::failure::{Exit, Failure};
use crate::terminal::Terminal;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where programs are looked for when nothing says it.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Variables that let their reader in as whoever runs this command.
const CREDENTIALS: [&str; 10] = [
    "STRONGROOM_TOKEN",
    "STRONGROOM_ACCESS_KEY",
    "STRONGROOM_ACCESS_SECRET",
    "THALASSA_ACCESS_TOKEN",
    "THALASSA_PERSONAL_ACCESS_TOKEN",
    "THALASSA_API_TOKEN",
    "THALASSA_CLIENT_ID",
    "THALASSA_CLIENT_SECRET",
    "THALASSA_SUBJECT_TOKEN_FILE",
    "THALASSA_SUBJECT_ID_TOKEN",
];

/// What a program finds in its environment beside the secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inherited {
    Nothing,
    /// All that this program found, but what it came in with itself.
    NoCredentials,
    Everything,
}

/// A program that was found, and may be run.
pub(crate) struct Program {
    file: PathBuf,
    line: Vec<OsString>,
}

impl Program {
    /// Looks for the program of this command line, in `PATH` as it is now: what a secret may set it to doesn't count.
    pub(crate) fn find(line: Vec<OsString>) -> Result<Self, Failure> {
        let Some(name) = line.first() else {
            return Err(Failure::usage("no command is named").hint("put it behind --, as in `run --path /app -- env`"));
        };
        let path = std::env::var_os("PATH").unwrap_or_else(|| USUAL_PATH.into());
        let file = look_up(name, &path)?;
        Ok(Self { file, line })
    }

    /// Replaces this process by it: it comes back only with the reason why that can't be done.
    pub(crate) fn become_it(self, variables: Vec<(String, &OsStr)>, inherited: Inherited) -> Failure {
        let mut command = Command::new(&self.file);
        if let Some((name, arguments)) = self.line.split_first() {
            command.arg0(name).args(arguments);
        }
        match inherited {
            Inherited::Nothing => {
                command.env_clear();
            }
            Inherited::NoCredentials => {
                for name in CREDENTIALS {
                    command.env_remove(name);
                }
            }
            Inherited::Everything => {}
        }
        command.envs(variables);
        let error = command.exec();
        let exit = if error.kind() == ErrorKind::NotFound { Exit::CommandNotFound } else { Exit::CommandNotRun };
        let failure = Failure::new(exit, format!("{} cannot be run", self.file.display()));
        match error.kind() {
            ErrorKind::ArgumentListTooLong => {
                failure.hint("the values are too large for an environment; give the command fewer").because(error)
            }
            _ => failure.because(error),
        }
    }
}

fn look_up(name: &OsStr, path: &OsStr) -> Result<PathBuf, Failure> {
    let shown = Terminal::one_line(&name.to_string_lossy());
    let not_found = || {
        Failure::new(Exit::CommandNotFound, format!("there is no command {shown}"))
            .hint("look whether it is installed, and in PATH; nothing was revealed")
    };
    if name.is_empty() {
        return Err(not_found());
    }
    let mut refused = None;
    let folders: Vec<PathBuf> =
        if name.as_bytes().contains(&b'/') { vec![PathBuf::new()] } else { std::env::split_paths(path).collect() };
    for folder in folders {
        let file = folder.join(name);
        // An empty part of PATH is the working directory.
        let file = if file.components().count() == 1 { Path::new(".").join(file) } else { file };
        match may_run(&file) {
            Some(true) => return Ok(file),
            Some(false) => refused = Some(file),
            None => {}
        }
    }
    match refused {
        Some(file) => Err(Failure::new(Exit::CommandNotRun, format!("{} cannot be run", file.display()))
            .hint("it is no file that you may execute; nothing was revealed")),
        None => Err(not_found()),
    }
}

/// Whether it is a file that may be executed; none when nothing is there.
fn may_run(file: &Path) -> Option<bool> {
    match file.metadata() {
        Ok(metadata) => {
            let access = rustix::fs::access(file, rustix::fs::Access::EXEC_OK);
            Some(metadata.is_file() && metadata.mode() & 0o111 != 0 && access.is_ok())
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Some(false),
        Err(_) => None,
    }
}
