//! Why a batch was not committed, and what is left to try.

use crate::error::OpenError;
use crate::postgres::failure;
use sqlx::Error;
use sqlx::error::DatabaseError;
use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use strongroom_domain::port::{AccessErrorKind, CommitErrorKind};

/// What callers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Full,
    Unavailable,
    /// Nobody knows whether the commit was made.
    Unknown,
}

impl Fault {
    pub(super) const fn commit_kind(self) -> CommitErrorKind {
        match self {
            Self::Full => CommitErrorKind::Full,
            Self::Unavailable => CommitErrorKind::Unavailable,
            Self::Unknown => CommitErrorKind::OutcomeUnknown,
        }
    }

    pub(super) const fn access_kind(self) -> AccessErrorKind {
        match self {
            Self::Full => AccessErrorKind::Full,
            Self::Unavailable => AccessErrorKind::Unavailable,
            Self::Unknown => AccessErrorKind::OutcomeUnknown,
        }
    }
}

/// What may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    None,
    /// The same again: others were in the way.
    Again,
    /// The same again, once: the connection was lost.
    Reconnect,
    /// The same again, in another stream of the audit log: somebody else put a row where this one goes on, or begins.
    NewStream,
    /// Each job by itself: one of them doesn't fit.
    Alone,
    /// The others without those that may wait for a lock, which are tried again by and by.
    Apart,
    /// There is no connection; nothing goes until there is.
    Wait,
}

/// A cause that several callers are told of: what the server said, without the details, which may quote what was to be stored.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Cause(Arc<str>);

impl From<&Error> for Cause {
    fn from(error: &Error) -> Self {
        Self(match error.as_database_error() {
            Some(said) => format!("{} (SQLSTATE {})", said.message(), said.code().unwrap_or_default()).into(),
            None => error.to_string().into(),
        })
    }
}

/// A batch that was not, or perhaps not, committed.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    pub(super) fault: Fault,
    /// What is wrong, and what to do.
    pub(super) what: &'static str,
    pub(super) cause: Cause,
    pub(super) remedy: Remedy,
}

impl Failed {
    /// Nothing was stored.
    pub(super) fn surely(error: &Error) -> Self {
        let fault = if failure::is_full(error) { Fault::Full } else { Fault::Unavailable };
        Self { fault, what: failure::explain(error), cause: error.into(), remedy: remedy(error) }
    }

    /// The statement that commits failed.
    pub(super) fn in_commit(error: &Error) -> Self {
        if !is_unknown(error) {
            return Self::surely(error);
        }
        let what =
            "the connection to the database was lost in the middle of a commit, so the change may or may not be stored";
        Self { fault: Fault::Unknown, what, cause: error.into(), remedy: Remedy::None }
    }

    /// Whether it says nothing of the batch: there was no connection, or not for long enough.
    pub(super) const fn is_outage(&self) -> bool {
        matches!(self.remedy, Remedy::Wait | Remedy::Reconnect)
    }

    /// The store stops, and does not wait any longer.
    pub(super) fn stopping() -> Self {
        let what = "the store stopped before what was queued could be written";
        let cause = Cause("somebody else held locks that it needed, or the database took nothing any more".into());
        Self { fault: Fault::Unavailable, what, cause, remedy: Remedy::None }
    }

    /// There is no connection.
    pub(super) fn down(error: &OpenError) -> Self {
        let what = match error {
            OpenError::Unreachable { what, .. } => what,
            _ => "the database can no longer be used as it is",
        };
        let said = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        Self { fault: Fault::Unavailable, what, cause: Cause(said.into()), remedy: Remedy::Wait }
    }
}

fn remedy(error: &Error) -> Remedy {
    let code = failure::code(error);
    match code.as_deref() {
        Some("40001" | "40P01") => Remedy::Again,
        Some("55P03") => Remedy::Apart,
        Some("23505") if is_of_a_stream(error) => Remedy::NewStream,
        // Data, constraints, limits of the program.
        Some(code) if ["21", "22", "23", "54"].contains(&code.get(..2).unwrap_or_default()) => Remedy::Alone,
        None if matches!(error, Error::Encode(_)) => Remedy::Alone,
        _ if failure::is_lost(error) && !failure::is_timeout(error) => Remedy::Reconnect,
        _ => Remedy::None,
    }
}

/// Whether what was refused is a record of the log, or a stream.
fn is_of_a_stream(error: &Error) -> bool {
    let table = error.as_database_error().and_then(DatabaseError::table);
    matches!(table, Some("audit_records" | "audit_streams"))
}

/// Whether a commit that ended so may have been made: without an answer, or with one of a server that was about to end.
fn is_unknown(error: &Error) -> bool {
    let Error::Database(said) = error else { return !matches!(error, Error::Encode(_)) };
    failure::is_last_word(&**said) || said.code().is_some_and(|code| is_unknown_code(&code))
}

/// Connections, a server that stops, and what distributed databases say when they can't tell.
fn is_unknown_code(code: &str) -> bool {
    code.starts_with("08") || matches!(code, "40003" | "57P01" | "57P02")
}

/// What takes longer is an error like a broken connection, which is not to be used again.
pub(in crate::postgres) async fn bounded<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        Err(Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the database server did not answer in time")))
    })
}

#[cfg(test)]
mod tests {
    use super::{Failed, Fault, Remedy, bounded, is_unknown_code};
    use sqlx::Error;
    use std::io;
    use std::time::Duration;

    #[test]
    fn a_lost_connection_is_unknown_in_a_commit_only() {
        let lost = Error::Io(io::ErrorKind::ConnectionReset.into());
        let before = Failed::surely(&lost);
        assert_eq!((before.fault, before.remedy), (Fault::Unavailable, Remedy::Reconnect));
        let within = Failed::in_commit(&lost);
        assert_eq!((within.fault, within.remedy), (Fault::Unknown, Remedy::None));
    }

    #[test]
    fn what_was_never_sent_is_not_unknown() {
        let failed = Failed::in_commit(&Error::Encode("too large".into()));
        assert_eq!((failed.fault, failed.remedy), (Fault::Unavailable, Remedy::Alone));
    }

    #[test]
    fn codes_that_leave_a_commit_open() {
        for (code, unknown) in [("08006", true), ("57P01", true), ("40003", true), ("40001", false), ("53100", false)] {
            assert_eq!(is_unknown_code(code), unknown, "{code}");
        }
    }

    #[tokio::test]
    async fn a_hung_connection_is_not_tried_again() {
        let hung = bounded(Duration::from_millis(1), std::future::pending::<Result<(), Error>>()).await;
        let failed = Failed::surely(&hung.expect_err("it hangs"));
        assert_eq!((failed.fault, failed.remedy), (Fault::Unavailable, Remedy::None));
    }
}
