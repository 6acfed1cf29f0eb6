//! What goes on in a log that nobody tampers with.

use super::{DAY, Log, Node};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// What goes on in a log.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Write(usize),
    Index,
    Checkpoint,
    Rotate,
    /// A day goes by, and what is older goes.
    Retain,
}

pub(super) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1..6_usize).prop_map(Event::Write),
        3 => Just(Event::Index),
        3 => Just(Event::Checkpoint),
        1 => Just(Event::Rotate),
        1 => Just(Event::Retain),
    ]
}

pub(super) async fn happen(log: &Log, node: &Node, event: Event) {
    match event {
        Event::Write(records) => log.write(records).await,
        Event::Index => drop(node.engine.index_audit(5).await.expect("indexes")),
        Event::Checkpoint => drop(node.checkpoint().await),
        Event::Rotate => drop(node.engine.rotate_audit_key(&node.session).await.expect("rotates")),
        Event::Retain => {
            log.pass(node, DAY + 1).await;
            log.write(1).await;
            node.checkpoint().await;
            node.engine.retain_audit(1, &[]).await.expect("retains");
        }
    }
    // It writes the stream, with the newest key that is known.
    log.written_by(node);
}

/// A log that nobody tampered with, all of which is in the index and told of by checkpoints.
pub(super) async fn history(events: &[Event]) -> (Log, Node) {
    let log = Log::new().await;
    let node = log.node().await;
    log.written_by(&node);
    log.write(2).await;
    node.checkpoint().await.expect("written");
    for event in events {
        happen(&log, &node, *event).await;
    }
    log.write(3).await;
    node.checkpoint().await.expect("written");
    node.index().await;
    (log, node)
}

pub(super) fn run<T: core::fmt::Debug>(
    cases: u32,
    input: &impl Strategy<Value = T>,
    case: impl AsyncFn(T) -> Result<(), TestCaseError>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(input, |input| runtime.block_on(case(input)));
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
