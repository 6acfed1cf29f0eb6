use std::io;

/// Why a cluster can't be had, or a statement not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No PostgreSQL server is on this machine.
    #[error(
        "there is no PostgreSQL server here: install it (Debian, Ubuntu: apt-get install postgresql), or put its folder of programs on the PATH"
    )]
    NotInstalled,
    /// The operating system refused something.
    #[error("{doing} failed")]
    System {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program ended with an error.
    #[error("{program} failed: {output}")]
    Program {
        /// Its name.
        program: &'static str,
        /// What it wrote.
        output: String,
    },
    /// The server ended while it started, or did not become ready in time.
    #[error("the server did not start: {log}")]
    NotStarted {
        /// The end of its log.
        log: String,
    },
    /// The certificate for TLS could not be made.
    #[error("no certificate could be made")]
    Certificate(#[from] rcgen::Error),
}

impl Error {
    pub(crate) fn system(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::System { doing, source }
    }

    /// The error with its causes, for a panic or a terminal.
    #[must_use]
    pub fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }

    #[track_caller]
    pub(crate) fn panic(&self) -> ! {
        panic!("{}", self.in_full())
    }
}
