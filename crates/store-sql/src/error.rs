use rusqlite::ErrorCode;
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;
use strongroom_domain::port::{ReadError, ReadErrorKind};

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no store, and none was to be created.
    #[error("there is no store at {0}")]
    Absent(PathBuf),
    /// The file belongs to something else.
    #[error("{0} is not a Strongroom store")]
    NotAStore(PathBuf),
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
    /// The file can't be read or written.
    #[error("the store cannot be opened")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<sea_orm::DbErr> for OpenError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Database(error.into())
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
pub(crate) fn unread(error: sea_orm::DbErr) -> ReadError {
    ReadError::new(ReadErrorKind::Unavailable, "the database could not be read").because(error)
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
