//! The durable store, in SQLite.
//!
//! [`SqliteStore`] reads; [`SqliteWriter`] writes, through one lane: a thread with one connection that commits whatever is queued
//! together. What a commit was answered for is on disk.

mod accesses;
mod encoded;
mod entity;
mod error;
mod migration;
mod options;
mod read;
mod row;
mod sqlite;

pub use error::OpenError;
pub use options::OpenOptions;
pub use sqlite::{SqliteStore, SqliteWriter, peek_key_check};
