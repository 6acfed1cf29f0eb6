//! One random sequence of units runs against a plain model and against a store; their answers must be equal step by step.
//!
//! The model is lists and loops: slow, and plain enough to be believed. Every adapter runs the same sequences, so adapters that pass
//! agree with each other.

#![allow(clippy::expect_used, reason = "a difference fails by panicking")]

mod compare;
mod leases;
mod operation;
mod plain;

pub use leases::check_leases;
pub use operation::{Operation, Place, operations};

use crate::contract::{self, Store};
use plain::{Plain, Planned};
use proptest::test_runner::{Config, TestRunner};

/// How many sequences [`check`] tries.
const SEQUENCES: u32 = 24;
/// How long a failing sequence is shrunk, in milliseconds.
const SHRINKING: u32 = 30_000;

/// Runs random sequences, each over an empty store that `make` gives, and shrinks one that makes a difference.
///
/// # Panics
/// When a store answers otherwise than the model.
pub fn check<F: Future<Output = Store>>(make: impl Fn() -> F) {
    let mut runner = TestRunner::new(Config {
        cases: SEQUENCES,
        max_shrink_time: SHRINKING,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&operations(), |operations| {
        contract::run(async { run(make().await, &operations).await });
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// Runs one sequence against the model and a store.
///
/// # Panics
/// When the store answers otherwise than the model.
pub async fn run(store: Store, operations: &[Operation]) {
    let mut model = Plain::new();
    for (step, operation) in operations.iter().enumerate() {
        let mut next = model.clone();
        let done = match next.plan(operation, step) {
            Planned::Nothing => true,
            Planned::Commit(unit, wanted) => {
                let records = unit.records.clone();
                let outcome = store.committer.commit(unit).await.map_err(|error| error.kind().clone());
                assert_eq!(outcome, wanted, "step {step}, {operation:?}");
                next.records.extend(records);
                wanted.is_ok()
            }
            Planned::Access(access, wanted) => {
                let records = access.records.clone();
                let outcome = store.access.record(*access).await.map_err(|error| *error.kind());
                assert_eq!(outcome, wanted, "step {step}, {operation:?}");
                next.records.extend(records);
                wanted.is_ok()
            }
        };
        if done {
            model = next;
        }
        compare::after_step(&model, &store, operation, step).await;
    }
    compare::at_end(&model, &store).await;
}
