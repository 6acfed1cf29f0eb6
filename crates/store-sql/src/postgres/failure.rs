//! What the database's errors mean, and what to do about them.

use sqlx::Error;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use std::borrow::Cow;
use std::io::ErrorKind;
use strongroom_domain::port::{ReadError, ReadErrorKind};

const INSECURE: &str =
    "no secure connection to the database could be made; check sslmode, sslrootcert and its certificate";

/// The database gave a new stream of the audit log a place behind the last that there is.
#[derive(Debug, thiserror::Error)]
#[error("the sequence of audit_streams.ordinal is behind 524287")]
pub(crate) struct StreamsUsedUp;

/// Somebody else put rows of their own where the next streams of the audit log were to begin.
#[derive(Debug, thiserror::Error)]
#[error("none of the next places of audit_streams is free for another stream of the audit log")]
pub(crate) struct NoFreePlace;

/// The `SQLSTATE` of an error of the server.
pub(crate) fn code(error: &Error) -> Option<Cow<'_, str>> {
    error.as_database_error().and_then(DatabaseError::code)
}

/// Whether the connection is of no more use, and another may be.
pub(crate) fn is_lost(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed => true,
        Error::Database(said) => {
            is_last_word(&**said)
                || code(error).is_some_and(|code| {
                    // Ended by the server; or its prepared statements are gone, or have another shape since a newer release migrated.
                    matches!(&*code, "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "26000" | "0A000")
                        || code.starts_with("08")
                })
        }
        _ => false,
    }
}

/// Whether the server ends the connection with this, whatever the reason is.
pub(crate) fn is_last_word(said: &dyn DatabaseError) -> bool {
    let severity = said.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::severity);
    matches!(severity, None | Some(PgSeverity::Fatal | PgSeverity::Panic))
}

/// Whether we stopped waiting for the server; waiting once more would only double the time. What the system says of a connection that
/// died long ago is another matter.
pub(crate) fn is_timeout(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == ErrorKind::TimedOut && error.raw_os_error().is_none())
}

/// Whether the server gave a statement up because it took too long.
pub(crate) fn is_statement_timeout(error: &Error) -> bool {
    code(error).is_some_and(|code| code == "57014")
}

/// Whether a lock could not be had in time.
pub(crate) fn is_lock_timeout(error: &Error) -> bool {
    code(error).is_some_and(|code| code == "55P03")
}

/// Whether the server has no room for more.
pub(crate) fn is_full(error: &Error) -> bool {
    code(error).is_some_and(|code| code == "53100")
}

/// Whether what is stored is not what it should be.
pub(crate) fn is_damage(error: &Error) -> bool {
    match error {
        Error::ColumnDecode { .. } | Error::Decode(_) => true,
        Error::Database(_) => code(error).is_some_and(|code| matches!(&*code, "XX001" | "XX002")),
        _ => false,
    }
}

/// What is wrong, and what helps.
pub(crate) fn explain(error: &Error) -> &'static str {
    match error {
        Error::PoolTimedOut => {
            "every connection to the database is in use, or none could be opened; raise the number of readers, or see whether the \
             server answers"
        }
        Error::AnyDriverError(error) if error.is::<StreamsUsedUp>() => {
            "the audit log has no place for another stream, so nothing can be written; set the sequence of audit_streams.ordinal \
             (setval) to where enough numbers below 524288 are free"
        }
        Error::AnyDriverError(error) if error.is::<NoFreePlace>() => {
            "somebody else wrote where the next streams of the audit log were to begin; verify the log; places behind these are tried"
        }
        Error::PoolClosed => "the store is stopping",
        Error::Tls(_) => INSECURE,
        // How the TLS library says that it does not trust what it is shown.
        Error::Io(error) if error.kind() == ErrorKind::InvalidData => INSECURE,
        Error::Database(_) => match code(error).as_deref() {
            Some("57014") => "the database did not finish a statement within the statement timeout",
            Some("55P03") => "the database waited longer for a lock than the lock timeout allows",
            Some("40P01") => "the database broke a deadlock",
            Some("42501") => "the database user lacks a privilege; grant it what it needs on the store's tables",
            Some("42P01" | "42703" | "3F000") => {
                "the database lacks a table or column of the store; was its schema altered?"
            }
            Some("25006") => "the database is read-only; name the primary server in the URL",
            Some("28P01" | "28000") => "the database refused the user or password of its URL",
            Some("3D000") => "the server has no database of that name; create it first",
            Some("53100") => "the database server's disk is full",
            Some("53300") => {
                "the database server has no connection left; raise its max_connections, or lower the readers"
            }
            Some("57P03") => "the database server is starting or stopping",
            Some("57P01" | "57P02" | "57P05" | "25P03") => "the database server ended the connection",
            _ => "the database refused a statement",
        },
        _ if is_lost(error) => {
            "the connection to the database was lost, or could not be made; see whether the server answers"
        }
        _ => "the database could not be read",
    }
}

/// A read failed.
pub(crate) fn unread(error: Error) -> ReadError {
    let (kind, what) = if is_damage(&error) {
        (ReadErrorKind::Corrupt, "the store holds a damaged row")
    } else {
        (ReadErrorKind::Unavailable, explain(&error))
    };
    ReadError::new(kind, what).because(error)
}

#[cfg(test)]
mod tests {
    use super::{code, is_lost, is_timeout};
    use crate::postgres::connect::timed_out;
    use sqlx::{Connection, Error, Executor, PgConnection};
    use std::io;
    use strongroom_test_postgres::database;

    #[tokio::test]
    async fn a_connection_that_the_server_ends_is_lost_whatever_the_reason() {
        let database = database();
        let url = database.url_as("nobody_of_that_name");
        let ended = PgConnection::connect(&url).await.expect_err("there is no such user");
        assert_eq!(code(&ended).as_deref(), Some("28000"));
        assert!(is_lost(&ended));
        let mut connection = PgConnection::connect(database.url()).await.expect("connects");
        let refused = connection.execute("SELECT 1 / 0").await.expect_err("it has no result");
        assert_eq!(code(&refused).as_deref(), Some("22012"));
        assert!(!is_lost(&refused));
    }

    #[test]
    fn only_our_own_limit_is_a_timeout() {
        assert!(is_lost(&timed_out()) && is_timeout(&timed_out()));
        // ETIMEDOUT, of a connection whose other end went away unseen.
        let dead = Error::Io(io::Error::from_raw_os_error(110));
        assert!(is_lost(&dead) && !is_timeout(&dead));
    }
}
