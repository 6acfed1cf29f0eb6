//! What is particular to SQLite: connections, hot reads, and the lane that writes.

mod change;
mod connect;
mod expect;
mod hot;
mod lane;
mod materials;
mod store;
mod writer;

pub use store::SqliteStore;
pub use writer::SqliteWriter;
