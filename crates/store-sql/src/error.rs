use crate::postgres::failure;
use rusqlite::ErrorCode;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use std::fmt::Display;
use std::sync::Arc;
use strongroom_domain::port::{ReadError, ReadErrorKind};

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no store, and none was to be created.
    #[error("there is no store at {0}")]
    Absent(String),
    /// The file or database belongs to something else.
    #[error("{0} is not a Strongroom store")]
    NotAStore(String),
    /// The store was written by a newer release.
    #[error("the store has the schema of a newer release ({step}); use that release, or restore a backup")]
    Newer {
        /// The first step that this release doesn't know.
        step: String,
    },
    /// The store holds what it should not; it is not written to.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// There already is a writer.
    #[error("the store already has a writer")]
    WriterExists,
    /// The database server, as it is set up, may not keep what it is given, or can't be trusted with it.
    #[error("{0}")]
    Unfit(String),
    /// The database can't be written now: a standby, which may become the primary server.
    #[error("the database is read-only; name the primary server in the URL, and a user that may write")]
    ReadOnly,
    /// The database server doesn't answer, or refuses.
    #[error("{what}")]
    Unreachable {
        /// What is wrong, and what helps.
        what: &'static str,
        /// What the server or the driver said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file can't be read or written.
    #[error("the store cannot be opened")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<DbErr> for OpenError {
    fn from(error: DbErr) -> Self {
        match cause(&error) {
            Some(cause) => Self::Unreachable { what: failure::explain(cause), source: error.into() },
            None => Self::Database(error.into()),
        }
    }
}

/// What the driver of PostgreSQL said.
fn cause(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => Some(cause),
        _ => None,
    }
}

/// A cause that several callers are told of.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct Shared(pub(crate) Arc<rusqlite::Error>);

/// Whether the file is none of SQLite's.
pub(crate) fn is_not_a_database(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(failure, _) if failure.code == ErrorCode::NotADatabase)
}

/// What is stored can't be understood.
pub(crate) fn corrupt(what: impl Display) -> ReadError {
    ReadError::new(ReadErrorKind::Corrupt, format!("the store holds a damaged {what}"))
}

/// A read by the ORM failed.
pub(crate) fn unread(error: DbErr) -> ReadError {
    let (kind, what) = match (&error, cause(&error)) {
        (_, Some(cause)) if failure::is_damage(cause) => (ReadErrorKind::Corrupt, "the store holds a damaged row"),
        (_, Some(cause)) => (ReadErrorKind::Unavailable, failure::explain(cause)),
        (DbErr::ConnectionAcquire(ConnAcquireErr::Timeout), None) => {
            (ReadErrorKind::Unavailable, failure::explain(&sqlx::Error::PoolTimedOut))
        }
        (DbErr::Type(_) | DbErr::TryIntoErr { .. }, None) => (ReadErrorKind::Corrupt, "the store holds a damaged row"),
        _ => (ReadErrorKind::Unavailable, "the database could not be read"),
    };
    ReadError::new(kind, what).because(error)
}

/// Whether a read by the ORM failed because its connection was lost, so that another may succeed.
pub(crate) fn is_lost(error: &ReadError) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<DbErr>());
    source.and_then(cause).is_some_and(failure::is_lost)
}

/// A read on a held connection failed.
pub(crate) fn unread_row(error: rusqlite::Error) -> ReadError {
    let kind = match &error {
        rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..) => ReadErrorKind::Corrupt,
        rusqlite::Error::SqliteFailure(failure, _)
            if matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) =>
        {
            ReadErrorKind::Corrupt
        }
        _ => ReadErrorKind::Unavailable,
    };
    ReadError::new(kind, "the database could not be read").because(error)
}
