//! The audit log of real stores, tampered with by SQL: verification names the first bad record each time, and finds nothing in a log that nobody
//! tampered with. How many random histories there are can be said: `just tampering 300`.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod database;
mod node;
mod planted;
mod restarted;
mod retained;
mod tamper;

use database::Database;
use node::Node;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::sync::Arc;
use strongroom_domain::audit::FindingKind;
use strongroom_domain::port::StoredCheckpoint;
use tamper::Tampering;

/// What happens to a log.
#[derive(Clone, Debug)]
enum Step {
    Commit(usize),
    Checkpoint,
    Index,
    Rotate,
    /// The server is started anew, and writes another stream.
    Restart,
    /// Days go by, and what is old is removed.
    Retain,
}

/// How many days go by, and for how many records are kept.
const APART: i64 = 10;
const DAYS: u32 = 5;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (1..6_usize).prop_map(Step::Commit),
        2 => Just(Step::Checkpoint),
        2 => Just(Step::Index),
        1 => Just(Step::Rotate),
        1 => Just(Step::Restart),
        1 => Just(Step::Retain),
    ];
    prop::collection::vec(step, 1..14)
}

/// A log, with a checkpoint somewhere on its way that was kept elsewhere.
async fn history(place: &Database, steps: &[Step]) -> (Node, StoredCheckpoint) {
    let mut node = Node::open(place).await;
    let mut days = 0;
    node.commit(3).await;
    let mut anchor = node.checkpoint().await;
    for step in steps {
        match step {
            Step::Commit(records) => node.commit(*records).await,
            Step::Checkpoint => anchor = node.checkpoint().await,
            Step::Index => node.index().await,
            Step::Rotate => {
                node.rotate().await;
                anchor = node.checkpoint().await;
            }
            Step::Restart => {
                node.close().await;
                node = Node::open(place).await;
                node.advance(days);
            }
            Step::Retain => {
                node.checkpoint().await;
                node.index().await;
                node.pass(APART).await;
                days += APART;
                node.commit(2).await;
                node.checkpoint().await;
                node.index().await;
                node.retain(DAYS).await.expect("retains");
                anchor = node.checkpoint().await;
            }
        }
    }
    node.commit(3).await;
    node.commit(2).await;
    node.checkpoint().await;
    node.index().await;
    (node, anchor)
}

/// A log that nobody tampered with, closed, and a checkpoint of it that was kept elsewhere.
async fn honest(place: &Database, steps: &[Step], limit: u32) -> Result<StoredCheckpoint, TestCaseError> {
    let (node, anchor) = history(place, steps).await;
    let honest = node.verify(Some(&anchor), limit).await;
    node.close().await;
    prop_assert_eq!(&honest, &[]);
    // What verifying recorded is told of too; what no checkpoint tells of may be cut off unseen.
    let node = Node::open(place).await;
    node.checkpoint().await;
    node.index().await;
    node.close().await;
    Ok(anchor)
}

/// Tampers with a copy of the log.
async fn tampered(
    place: &Database,
    anchor: &StoredCheckpoint,
    tampering: &Tampering,
    picks: (Index, Index),
    limit: u32,
) -> Result<(), TestCaseError> {
    let place = place.twin();
    let Some(wanted) = tamper::apply(&place, tampering, picks) else { return Ok(()) };
    if matches!(tampering, Tampering::Append) {
        prop_assert!(go_on(&place).await.is_err(), "what was added is told of at once");
    }
    let findings = Node::reading(&place).await.verify(Some(anchor), limit).await;
    prop_assert!(wanted.is_met(&findings), "{tampering:?}: wanted {wanted:?}, found {findings:?}");
    Ok(())
}

/// A server is started on what somebody left, writes, and stops.
async fn go_on(place: &Database) -> Result<(), strongroom::Error> {
    let node = Node::open(place).await;
    node.commit(2).await;
    node.commit(1).await;
    let outcome = node.checkpoint_what_is_sound().await;
    node.close().await;
    outcome
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runs")
}

/// How many random histories there are: `usual`, or as `PROPTEST_CASES` says.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

fn run(cases: u32, place: impl Fn() -> Database) {
    let runtime = runtime();
    let mut runner =
        TestRunner::new(Config { cases, max_shrink_iters: 20, failure_persistence: None, ..Config::default() });
    let tamperings = prop::collection::vec((tamper::any(), any::<(Index, Index)>()), 1..6);
    let input = (steps(), tamperings, prop_oneof![Just(7_u32), Just(20_000)]);
    let outcome = runner.run(&input, |(steps, tamperings, limit)| {
        let place = place();
        runtime.block_on(async {
            let anchor = honest(&place, &steps, limit).await?;
            for (tampering, picks) in &tamperings {
                tampered(&place, &anchor, tampering, *picks, limit).await?;
            }
            Ok(())
        })
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn sqlite() {
    run(cases(10), Database::sqlite);
}

#[test]
fn postgres() {
    run(cases(3), Database::postgres);
}

/// Every kind of tampering, so that none depends on chance.
fn each_kind_is_found(place: &Database) {
    let steps =
        [Step::Commit(2), Step::Index, Step::Retain, Step::Rotate, Step::Commit(3), Step::Restart, Step::Commit(4)];
    let mut runner = TestRunner::deterministic();
    let mut pick = || any::<(Index, Index)>().new_tree(&mut runner).expect("picks").current();
    runtime().block_on(async {
        let anchor = honest(place, &steps, 500).await.expect("nothing is found");
        let first = place.numbers("SELECT min(sequence) FROM audit_records GROUP BY stream");
        assert!(first.iter().any(|sequence| *sequence > 1), "nothing was removed: {first:?}");
        for tampering in tamper::all() {
            let done = tampered(place, &anchor, &tampering, pick(), 500).await;
            done.unwrap_or_else(|error| panic!("{tampering:?}: {error}"));
        }
    });
}

#[test]
fn each_kind_is_found_on_sqlite() {
    each_kind_is_found(&Database::sqlite());
}

#[test]
fn each_kind_is_found_on_postgres() {
    each_kind_is_found(&Database::postgres());
}

/// Nodes that write streams of their own side by side, and all try to write the checkpoints.
#[test]
fn of_several_nodes_one_at_a_time_writes_checkpoints_and_tells_of_all_streams() {
    runtime().block_on(async {
        let place = Database::postgres();
        let nodes = [Arc::new(Node::open(&place).await), Arc::new(Node::open(&place).await)];
        let mut rounds = tokio::task::JoinSet::new();
        for node in &nodes {
            let node = Arc::clone(node);
            rounds.spawn(async move {
                for _ in 0..10 {
                    node.commit(2).await;
                    node.round().await;
                }
            });
        }
        while let Some(done) = rounds.join_next().await {
            done.expect("no round fails");
        }
        let [one, other] = nodes.map(|node| Arc::into_inner(node).expect("no round goes on"));
        let is_the_writer = other.round().await.is_some();
        let last = if is_the_writer { other.checkpoint().await } else { one.checkpoint().await };
        let numbers = place.numbers("SELECT number FROM audit_checkpoints ORDER BY number");
        let last = i64::try_from(last.number).expect("few");
        assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
        let streams = place.numbers("SELECT DISTINCT stream FROM audit_records");
        let told = place.numbers("SELECT stream FROM audit_positions WHERE name = 'checkpoints'");
        assert!(streams.len() > 1 && streams.iter().all(|stream| told.contains(stream)), "{streams:?}, {told:?}");
        assert_eq!(one.verify(None, 500).await, []);
        // The writer goes; the other one goes on at once.
        let (writer, other) = if is_the_writer { (other, one) } else { (one, other) };
        writer.close().await;
        other.commit(1).await;
        assert_eq!(i64::try_from(other.round().await.expect("writes").checkpoint.number), Ok(last + 1));
        other.close().await;
    });
}

/// A log that is put back to what it was, records, checkpoints and all, is right in itself: only an anchor tells.
#[test]
fn a_log_that_was_set_back_is_told_by_an_anchor() {
    runtime().block_on(async {
        let place = Database::sqlite();
        let (node, _) = history(&place, &[Step::Commit(2)]).await;
        node.close().await;
        let kept = place.copy();
        let node = Node::open(&place).await;
        node.commit(2).await;
        let anchor = node.checkpoint().await;
        node.close().await;
        place.put_back(&kept);
        let node = Node::open(&place).await;
        assert_eq!(node.verify(None, 500).await, []);
        let kinds = |findings: Vec<strongroom_domain::audit::Finding>| -> Vec<FindingKind> {
            findings.into_iter().map(|finding| finding.kind).collect()
        };
        assert_eq!(kinds(node.verify(Some(&anchor), 500).await), [FindingKind::AnchorMissing]);
        // The log goes on, and has another checkpoint of that number.
        node.commit(1).await;
        node.checkpoint().await;
        assert_eq!(kinds(node.verify(Some(&anchor), 500).await), [FindingKind::AnchorDiffers]);
        node.close().await;
    });
}

/// Somebody who can write to the database adds a key of their own, and signs with it.
#[test]
fn a_key_that_was_slipped_in_signs_nothing() {
    runtime().block_on(async {
        for place in [Database::sqlite(), Database::postgres()] {
            let (node, _) = history(&place, &[]).await;
            node.close().await;
            let theirs = tamper::slip_in_a_key(&place, 2);
            let node = Node::open(&place).await;
            node.commit(1).await;
            let checkpoint = node.checkpoint().await.read().expect("sound").checkpoint;
            assert_eq!((checkpoint.newest_key, checkpoint.keys.len()), (1, 0), "not made known");
            let findings = node.verify(None, 500).await;
            assert_eq!(findings.iter().map(|it| it.kind).collect::<Vec<_>>(), [FindingKind::KeySlippedIn]);
            // A rotation passes it over.
            node.rotate().await;
            let checkpoint = node.checkpoint().await.read().expect("sound").checkpoint;
            assert_eq!(checkpoint.newest_key, 3);
            node.close().await;
            // A checkpoint of theirs that makes their key known.
            tamper::forge_checkpoint(&place, &theirs, 2);
            let node = Node::open(&place).await;
            let findings = node.verify(None, 500).await;
            node.close().await;
            assert!(findings.iter().any(|it| it.kind == FindingKind::CheckpointKey), "{findings:?}");
        }
    });
}
