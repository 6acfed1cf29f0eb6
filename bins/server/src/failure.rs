//! How a command fails: one sentence, its causes, and an exit code.

use core::error::Error;
use core::fmt;
use std::io::Write;
use std::process::ExitCode;

/// Exit codes, beside 0 for success and 2, which the command line's parser gives for a wrong command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Something failed while the command ran.
    Runtime = 1,
    /// Some of what is stored can't be opened.
    Data = 65,
    /// The audit log could not be verified.
    Unverified = 69,
    /// The data directory is in use by another process.
    InUse = 75,
    /// The root key is missing, wrong, or readable by others.
    RootKey = 77,
    /// The configuration, or the state of the data directory, doesn't allow the command.
    Configuration = 78,
}

/// A command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// Whether it tells of findings of a verification.
    found: bool,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, found: false, message: message.into(), source: None }
    }

    /// Something failed that isn't the operator's to mend by another configuration.
    pub(crate) fn runtime(message: impl Into<String>) -> Self {
        Self::new(Exit::Runtime, message)
    }

    /// What was verified isn't what was signed: the one failure of a verification whose exit code is 1.
    pub(crate) fn findings(message: impl Into<String>) -> Self {
        Self { found: true, ..Self::runtime(message) }
    }

    /// Of a verification: 1 says that there are findings, so whatever else failed has another code.
    pub(crate) fn of_verification(mut self) -> Self {
        if self.exit == Exit::Runtime && !self.found {
            self.exit = Exit::Unverified;
        }
        self
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Tells the operator, once, with every cause.
    pub(crate) fn report(&self) -> ExitCode {
        let mut last = self.to_string();
        let mut text = format!("strongroomd: {last}\n");
        let mut cause = self.source();
        while let Some(error) = cause {
            let next = error.to_string();
            // Some libraries repeat their cause in their own words.
            if !last.contains(&next) {
                text.push_str(&format!("  because: {next}\n"));
            }
            last = next;
            cause = error.source();
        }
        // Nobody is left to tell when stderr is closed.
        let _ = std::io::stderr().write_all(text.as_bytes());
        ExitCode::from(self.exit as u8)
    }

    /// Whether it may be otherwise in a moment, without anybody's doing.
    pub(crate) const fn is_worth_another_try(&self) -> bool {
        matches!(self.exit, Exit::Runtime)
    }

    #[cfg(test)]
    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }
}

/// An error with every cause, in one line for the log.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}
