//! What is particular to PostgreSQL, or what speaks its wire protocol: connections, hot reads, and the lanes that write.

mod change;
mod connect;
mod expect;
pub(crate) mod failure;
mod hot;
mod lane;
mod lease;
mod options;
mod peek;
mod schema;
mod store;
mod units;
mod vacuum;
mod writer;

pub use options::{InvalidUrl, PostgresOptions};
pub use peek::peek_postgres_key_check;
pub use store::PostgresStore;
pub use writer::PostgresWriter;
