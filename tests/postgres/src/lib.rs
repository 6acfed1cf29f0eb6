//! Real PostgreSQL clusters for tests.
//!
//! [`database`] gives a test a database of its own, in a cluster that many tests share; [`Cluster`] is a cluster of the test's
//! own, to stop, kill, fill and configure. The program of this package runs a command with a shared cluster around it.
//!
//! A cluster is durable as PostgreSQL is by default. Its default collation is a language's, so that text that must order by
//! bytes and does not say so is seen. Everything panics with a sentence when it can't go on, for its callers are tests; what
//! begins with `try_` gives an error instead.
#![expect(clippy::disallowed_methods, reason = "waits for real processes by the real clock")]

mod account;
mod builder;
mod cluster;
mod database;
mod error;
mod postmaster;
mod programs;
mod psql;
mod shared;
mod tls;
mod watchdog;

pub use builder::Builder;
pub use cluster::{Cluster, Mode};
pub use database::Database;
pub use error::Error;
pub use psql::Rows;
pub use shared::{SHARED_CLUSTER, database};

use core::time::Duration;
use std::time::Instant;

/// How long a server may take to start, and to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again, until there is an answer or the time is over.
fn wait_for<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if start.elapsed() > PATIENCE {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
