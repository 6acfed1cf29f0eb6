//! What is particular to SQLite: connections, hot reads, and the lane that writes.

mod change;
mod connect;
mod expect;
mod hot;
mod lane;
mod lease;
mod materials;
mod peek;
mod store;
mod writer;

pub use peek::peek_key_check;
pub use store::SqliteStore;
pub use writer::SqliteWriter;
