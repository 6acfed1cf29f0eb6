//! The durable store, in SQLite or PostgreSQL.
//!
//! [`SqliteStore`] and [`PostgresStore`] read; [`SqliteWriter`] and [`PostgresWriter`] write, through lanes: a connection that commits
//! whatever is queued together. SQLite has one lane, PostgreSQL several. What a commit was answered for is on disk.

mod accesses;
mod encoded;
mod entity;
mod error;
mod metrics;
mod migration;
mod options;
mod postgres;
mod read;
mod row;
mod sqlite;
mod weight;

pub use error::OpenError;
pub use options::OpenOptions;
pub use postgres::{InvalidUrl, PostgresOptions, PostgresStore, PostgresWriter, peek_postgres_key_check};
pub use sqlite::{SqliteStore, SqliteWriter, peek_key_check};
