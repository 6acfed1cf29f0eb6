//! One random sequence of units runs against a plain model and against a store; their answers must be equal step by step.
//!
//! The model is lists and loops: slow, and plain enough to be believed. Every adapter runs the same sequences, so adapters that pass
//! agree with each other.

#![allow(clippy::expect_used, reason = "a difference fails by panicking")]

mod compare;
mod directory;
mod leases;
mod operation;
mod plain;

pub use leases::check_leases;
pub use operation::{Operation, Place, operations};

use crate::contract::{self, Store};
use plain::{Plain, Planned};
use proptest::test_runner::{Config, TestRunner};
use strongroom_domain::port::Access;

/// How many sequences [`check`] tries.
const SEQUENCES: u32 = 24;
/// How long a failing sequence is shrunk, in milliseconds.
const SHRINKING: u32 = 30_000;

/// Runs random sequences, each over an empty store that `make` gives, and shrinks one that makes a difference.
///
/// # Panics
/// When a store answers otherwise than the model.
pub fn check<F: Future<Output = Store>>(make: impl Fn() -> F) {
    try_sequences(|operations| contract::run(async { run(vec![vec![make().await]], operations).await }));
}

fn try_sequences(run: impl Fn(&[Operation])) {
    let mut runner = TestRunner::new(Config {
        cases: SEQUENCES,
        max_shrink_time: SHRINKING,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&operations(), |operations| {
        run(&operations);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// As [`check`], with each sequence over several stores at once: `make` gives for each its instances, which take turns, step by step.
///
/// # Panics
/// When a store answers otherwise than the model, and so than another.
pub fn check_together<F: Future<Output = Vec<Vec<Store>>>>(make: impl Fn() -> F) {
    try_sequences(|operations| contract::run(async { run(make().await, operations).await }));
}

/// Runs one sequence against the model and every store.
async fn run(stores: Vec<Vec<Store>>, operations: &[Operation]) {
    let mut model = Plain::new();
    for (step, operation) in operations.iter().enumerate() {
        let mut next = model.clone();
        let turn = || stores.iter().map(|instances| &instances[step % instances.len()]);
        let done = match next.plan(operation, step) {
            Planned::Nothing => true,
            Planned::Commit(unit, wanted) => {
                for store in turn() {
                    let outcome = store.committer.commit(unit.clone()).await.map_err(|error| error.kind().clone());
                    assert_eq!(outcome, wanted, "step {step}, {operation:?}");
                }
                next.records.extend(unit.records);
                wanted.is_ok()
            }
            Planned::Access(access, wanted) => {
                for store in turn() {
                    let outcome = store.access.record(Access::clone(&access)).await.map_err(|error| *error.kind());
                    assert_eq!(outcome, wanted, "step {step}, {operation:?}");
                }
                next.records.extend(access.records);
                wanted.is_ok()
            }
        };
        if done {
            model = next;
        }
        for store in turn() {
            compare::after_step(&model, store, operation, step).await;
        }
    }
    for store in stores.iter().flatten() {
        compare::at_end(&model, store).await;
    }
}
