//! The suites: what an adapter of each store port must do, one case per sentence of the port's documentation.
//!
//! `store_contract!(mine, async { … })`, as [this crate's page](crate#the-tests-of-a-store) shows whole,
//! gives one test per case, named `mine::<port>::<case>`, each over an empty store of its own. Beyond the ports' words the cases
//! settle what a store does with a change that lacks its expectation:
//!
//! - an insert, a put or a replacement that would double a [`UniqueKey`](strongroom_domain::unit::UniqueKey) is a conflict over the
//!   absence of that key; what holds it already keeps it;
//! - a change that replaces an aggregate's state is a conflict over revision `state.revision - 1` when the aggregate is missing or has
//!   another revision, and so is erasing a version that isn't active,
//!   and replacing the handle of a key version that isn't there;
//! - a change that replaces or revises an organisation is a conflict over revision `revision - 1` in the same way;
//! - replacing the key check of a store that has none is refused;
//! - changes of a stream of the audit log that isn't there change nothing, and removing records leaves the last one of the stream;
//! - deleting a secret that isn't there is a conflict over its first revision.

#![allow(clippy::expect_used, reason = "a case fails by panicking")]

pub mod access_log;
pub mod answer_reader;
pub mod audit_log;
pub mod audit_reader;
pub mod committer;
pub mod directory_reader;
pub mod key_reader;
pub mod leases;
mod macros;
pub mod secret_reader;
pub mod setup_reader;
mod store;
pub mod tenancy_reader;
pub mod token_reader;

pub use store::{Remains, Store, Verifier};

use core::time::Duration;

/// How long a case may wait for what is promised within a second: much longer, for slow machines.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a case may take.
const CASE_LIMIT: Duration = Duration::from_secs(120);

/// Runs one case on a runtime of its own.
///
/// # Panics
/// When the case fails, or hangs for two minutes.
pub fn run(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap_or_else(|error| panic!("no runtime: {error}"));
    runtime.block_on(async {
        if tokio::time::timeout(CASE_LIMIT, case).await.is_err() {
            panic!("the case did not end within {CASE_LIMIT:?}");
        }
    });
}

/// Asks until the answer is `wanted`, for what a store may show a moment later.
///
/// # Panics
/// When the answer still differs after ten seconds.
pub async fn eventually<T: PartialEq + core::fmt::Debug>(wanted: &T, mut ask: impl AsyncFnMut() -> T) {
    let mut last = None;
    let asking = async {
        loop {
            let answer = ask().await;
            if answer == *wanted {
                return;
            }
            last = Some(answer);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, asking).await.is_err() {
        panic!("wanted {wanted:?}, last saw {last:?}");
    }
}
