//! How a command fails: one sentence, what to do next, its causes, and an exit code.

use crate::output;
use crate::terminal::Terminal;
use core::error::Error;
use core::fmt;
use serde_json::{Value, json};
use std::io::Write;
use std::process::ExitCode;
use strongroom_client::{ApiError, ErrorKind};
use zeroize::Zeroizing;

/// Exit codes, beside 0 for success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Something failed.
    Failed = 1,
    /// The command line, the configuration or the input is wrong; the command line's parser gives it too.
    Usage = 2,
    /// What was asked for isn't there.
    NotFound = 3,
    /// The credentials are wrong, or don't allow it.
    Denied = 4,
    /// It is otherwise by now than the command expects.
    Conflict = 5,
    /// The server can't be reached, doesn't answer in time, or isn't ready.
    Unreachable = 6,
    /// Some of it was done.
    Partly = 7,
    /// The command that `run` was given can't be run.
    CommandNotRun = 126,
    /// There is no such command.
    CommandNotFound = 127,
    /// Ctrl-C, or another signal that ends.
    Interrupted = 130,
    /// Nobody reads the output any more: what a shell says of a program that died of SIGPIPE.
    ClosedPipe = 141,
}

/// A command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    hint: Option<String>,
    code: Option<String>,
    request_id: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None, code: None, request_id: None, source: None }
    }

    /// Something failed that the one who called could not know.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// What the one who called can mend.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// What to do next, as a sentence.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The server's code of the error, and the request's id.
    pub(crate) fn told_by_server(mut self, code: &str, request_id: &str) -> Self {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        self.code = given(code);
        self.request_id = given(request_id);
        self
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Writing to standard output failed: quietly when nobody reads it any more.
    pub(crate) fn output(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::new(Exit::ClosedPipe, "nobody reads the output any more");
        }
        Self::failed("the output cannot be written").hint("is the disk full?").because(error)
    }

    /// With what it is about in front.
    pub(crate) fn about(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }

    /// What to do next: as it was said, else what helps with failures of its kind. None where nothing is to be done.
    fn next(&self) -> Option<&str> {
        self.hint.as_deref().or(match self.exit {
            Exit::Failed => Some("mend what is said here, then try again; `strongroom status` shows what is set"),
            Exit::Usage => Some("the command's --help shows how it is used"),
            Exit::NotFound => Some("`strongroom ls` shows what is there; `strongroom status` where you look"),
            Exit::Denied => Some("`strongroom status` shows as whom and where you act"),
            Exit::Conflict => Some("look at what is there now, then try again"),
            Exit::Unreachable => Some("try again in a moment; `strongroom status` shows which server is asked"),
            Exit::Partly => Some("look at what is left; the same command again goes on"),
            Exit::CommandNotRun => Some("is it a program, and may you run it?"),
            Exit::CommandNotFound => Some("is its name right, and its directory in PATH?"),
            Exit::Interrupted | Exit::ClosedPipe => None,
        })
    }

    /// Tells whoever called, once, with every cause.
    pub(crate) fn report(&self, terminal: Terminal) -> ExitCode {
        if self.exit != Exit::ClosedPipe {
            let json = terminal.json.then(|| output::json_line(&self.as_json()).ok()).flatten();
            let text = json.unwrap_or_else(|| Zeroizing::new(self.as_text(terminal).into_bytes()));
            // Nobody is left to tell when stderr is closed.
            let _ = std::io::stderr().lock().write_all(&text);
        }
        ExitCode::from(self.exit as u8)
    }

    fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut last = self.message.clone();
        let mut cause = self.source();
        while let Some(error) = cause {
            let next = error.to_string();
            // Some libraries repeat their cause in their own words.
            if !last.contains(&next) {
                causes.push(next.clone());
            }
            last = next;
            cause = error.source();
        }
        causes
    }

    fn as_json(&self) -> Value {
        let mut error = json!({"message": self.message, "exit": self.exit as u8});
        let mut set = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                error[name] = value.into();
            }
        };
        set("code", self.code.as_deref());
        set("requestId", self.request_id.as_deref());
        set("hint", self.next());
        let causes = self.causes();
        if !causes.is_empty() {
            error["causes"] = causes.into();
        }
        json!({ "error": error })
    }

    fn as_text(&self, terminal: Terminal) -> String {
        let style = terminal.on_stderr();
        let mut text = format!("{} {}\n", style.error("strongroom:"), Terminal::one_line(&self.message));
        for cause in self.causes() {
            text.push_str(&format!("  because: {}\n", Terminal::one_line(&cause)));
        }
        if let Some(hint) = self.next() {
            text.push_str(&format!("  {} {}\n", style.strong("next:"), Terminal::one_line(hint)));
        }
        if let Some(request_id) = &self.request_id {
            text.push_str(&format!("  request: {}\n", Terminal::one_line(request_id)));
        }
        text
    }
}

impl From<strongroom_client::Error> for Failure {
    fn from(error: strongroom_client::Error) -> Self {
        let told = match error.kind() {
            ErrorKind::Api(told) => Some(refused(told)),
            _ => None,
        };
        let mut failure = told.unwrap_or_else(|| {
            let (exit, hint) = unanswered(error.kind());
            let failure = Self::new(exit, error.to_string()).hint(hint);
            match error.source() {
                // The message stands there already; what caused it doesn't.
                Some(_) => failure.because(error.clone()),
                None => failure,
            }
        });
        if error.outcome_unknown() {
            failure = failure.hint("it may have been done: look before you try again");
        }
        failure
    }
}

/// What to do when no answer came.
const fn unanswered(kind: &ErrorKind) -> (Exit, &'static str) {
    match kind {
        ErrorKind::Unreachable => (
            Exit::Unreachable,
            "is the server running, and is this its address? `strongroom status` shows where the address is set",
        ),
        ErrorKind::Timeout => (Exit::Unreachable, "try again, or give it longer with --timeout 2m"),
        ErrorKind::Tls => (
            Exit::Unreachable,
            "name the certificate authority of the server with --ca-certificate FILE, and check the host in the address",
        ),
        ErrorKind::BadAnswer => {
            (Exit::Failed, "is this the address of a Strongroom server? `strongroom status` shows it")
        }
        ErrorKind::TooLarge => (Exit::Failed, "ask for less, such as a directory further down"),
        _ => (Exit::Usage, "`--help` shows what can be given; `strongroom status` shows what is set"),
    }
}

/// What the server said, and what to do then.
fn refused(told: &ApiError) -> Failure {
    let (exit, hint) = match (told.status, told.code.as_str()) {
        (401, _) => (
            Exit::Denied,
            "the credentials are wrong, revoked or have expired: `strongroom login`, or set STRONGROOM_TOKEN"
                .to_owned(),
        ),
        (403, "forbidden" | "kms_key_forbidden" | "access_policy_denied") => {
            let request = told.request_id.as_deref().unwrap_or("REQUEST");
            (Exit::Denied, format!("`strongroom explain {request}` tells which rule is missing"))
        }
        (403, _) => (Exit::Denied, "`strongroom status` shows as whom and where you act".to_owned()),
        (404, "version_destroyed" | "version_not_found" | "no_active_version") => {
            (Exit::NotFound, "`strongroom history PATH` shows which versions there are".to_owned())
        }
        (404, "not_found") => {
            (Exit::NotFound, "is the server older than this program, or has its address a wrong path?".to_owned())
        }
        (404, "region_not_found") => (Exit::NotFound, "`strongroom regions` shows which there are".to_owned()),
        (404, _) => {
            (Exit::NotFound, "`strongroom ls` shows what is there; `strongroom status` where you look".to_owned())
        }
        (409 | 412, "version_mismatch") => {
            (Exit::Conflict, "somebody else was faster: look at it, then try again".to_owned())
        }
        (409 | 412, _) => (Exit::Conflict, "`strongroom describe PATH` shows what is there now".to_owned()),
        (429 | 502..=504, _) => {
            let wait = told.retry_after.map_or_else(|| "a moment".to_owned(), |wait| format!("{} s", wait.as_secs()));
            (Exit::Unreachable, format!("try again in {wait}"))
        }
        (400 | 413 | 422, _) => (Exit::Failed, "mend what it names, then try again".to_owned()),
        _ => (Exit::Failed, "the server's log tells more under the request's id".to_owned()),
    };
    let request_id = told.request_id.as_deref().unwrap_or_default();
    Failure::new(exit, &told.message).hint(hint).told_by_server(&told.code, request_id)
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

#[cfg(test)]
mod tests {
    use super::{Exit, Failure};

    #[test]
    fn every_failure_says_what_to_do_next() {
        for exit in [
            Exit::Failed,
            Exit::Usage,
            Exit::NotFound,
            Exit::Denied,
            Exit::Conflict,
            Exit::Unreachable,
            Exit::Partly,
            Exit::CommandNotRun,
            Exit::CommandNotFound,
        ] {
            assert!(Failure::new(exit, "x").next().is_some(), "{exit:?}");
            assert_eq!(Failure::new(exit, "x").hint("do y").next(), Some("do y"));
        }
        assert_eq!(Failure::new(Exit::Interrupted, "x").next(), None);
    }
}
