//! Rows beside the records that somebody planted or altered, while servers go on: nothing is lost by them that is not told of, and nobody waits for ever.

use crate::database::Database;
use crate::node::{Node, has_keys};
use crate::{go_on, runtime, tamper};
use core::time::Duration;
use strongroom_domain::audit::{Checkpoint, Finding, FindingKind};

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(60);

fn places() -> [Database; 2] {
    [Database::sqlite(), Database::postgres()]
}

async fn found(place: &Database) -> Vec<Finding> {
    let node = Node::reading(place).await;
    tokio::time::timeout(LIMIT, node.verify(None, 500)).await.expect("a verification ends")
}

/// The last record of the only stream with records.
fn last(place: &Database) -> i64 {
    place.numbers("SELECT max(position) FROM audit_records")[0]
}

/// How many records no line of the index leads to.
fn unindexed(place: &Database) -> i64 {
    let missing = "SELECT count(*) FROM audit_records WHERE position NOT IN (SELECT position FROM audit_index)";
    place.numbers(missing)[0]
}

/// How far checkpoints tell of the stream of this ordinal.
fn told(place: &Database, ordinal: i64) -> u64 {
    let id = tamper::stream_id(place, ordinal);
    let numbers = place.numbers("SELECT number FROM audit_checkpoints");
    let all = numbers.into_iter().flat_map(|number| {
        let canonical = place.column("audit_checkpoints", "canonical", &format!("number = {number}"));
        Checkpoint::from_canonical(&canonical).expect("sound").ends
    });
    all.filter(|end| end.stream == id).map(|end| end.sequence).max().unwrap_or(0)
}

/// A reader that is said to be further than the log is passes records over: that is told, or it has had them all nevertheless.
#[test]
fn a_reader_that_is_set_ahead_loses_nothing_unseen() {
    runtime().block_on(async {
        for reader in ["index", "checkpoints", "retention"] {
            for place in places() {
                let node = Node::open(&place).await;
                node.commit(3).await;
                node.checkpoint().await;
                // What no reader has had yet.
                node.commit(4).await;
                node.close().await;
                let (ordinal, end) = (tamper::stream_of(last(&place)), tamper::sequence(last(&place)));
                tamper::set_ahead(&place, reader, ordinal);
                for _ in 0..2 {
                    let outcome = tokio::time::timeout(LIMIT, go_on(&place)).await.expect("nobody waits for ever");
                    let node = Node::open(&place).await;
                    node.index().await;
                    let retained = tokio::time::timeout(LIMIT, node.retain(5)).await.expect("nobody waits for ever");
                    node.close().await;
                    assert!(retained.is_err() || retained.is_ok_and(|it| it.removed == 0), "all are young");
                    let found = found(&place).await;
                    let is_told = !found.is_empty() || outcome.is_err();
                    let has_all = match reader {
                        "index" => !of_stream_unindexed(&place, ordinal),
                        "checkpoints" => told(&place, ordinal) == end,
                        _ => true,
                    };
                    assert!(is_told || has_all, "{reader}: what it passed over is not told of: {found:?}");
                }
            }
        }
    });
}

fn of_stream_unindexed(place: &Database, ordinal: i64) -> bool {
    let missing = format!(
        "SELECT count(*) FROM audit_records WHERE stream = {ordinal} AND position NOT IN (SELECT position FROM audit_index)"
    );
    place.numbers(&missing)[0] > 0
}

/// In the stream that a server writes at that time: it is found, and once it is gone, all is as if it had never been.
#[test]
fn a_record_planted_far_ahead_of_the_one_who_writes_is_found() {
    runtime().block_on(async {
        for place in places() {
            let node = Node::open(&place).await;
            node.commit(3).await;
            node.checkpoint().await;
            node.index().await;
            let before = last(&place);
            tamper::plant_ahead(&place, before, 1_000);
            for _ in 0..2 {
                node.commit(2).await;
                let rounds = tokio::time::timeout(LIMIT, node.checkpoint_what_is_sound()).await;
                let _ = rounds.expect("nobody waits for ever");
            }
            let planted = tamper::sequence(before + 1_000);
            let first = found(&place).await.first().copied().expect("it is found");
            let written = place.numbers(&format!(
                "SELECT max(sequence) FROM audit_records WHERE stream = {} AND sequence < {planted}",
                tamper::stream_of(before)
            ));
            let stream = tamper::stream_id(&place, tamper::stream_of(before));
            assert_eq!((first.stream, first.kind), (Some(stream), FindingKind::RecordMissing), "{first:?}");
            assert_eq!(first.sequence, Some(written[0].unsigned_abs() + 1), "{first:?}");
            assert!(told(&place, tamper::stream_of(before)) < planted, "nobody tells of it");
            for table in ["audit_records", "audit_index"] {
                place.run(&format!("DELETE FROM {table} WHERE position = {}", before + 1_000));
            }
            node.commit(1).await;
            node.checkpoint().await;
            node.index().await;
            node.close().await;
            let found = found(&place).await;
            assert!(found.is_empty(), "{found:?}");
            assert_eq!(unindexed(&place), 0);
        }
    });
}

/// The public key beside a sealed one is another's: nothing is verified by it, and nothing signed.
#[test]
fn a_public_key_that_was_altered_is_found() {
    runtime().block_on(async {
        for place in places() {
            let node = Node::open(&place).await;
            node.commit(3).await;
            node.checkpoint().await;
            for _ in 0..2 {
                node.rotate().await;
                node.checkpoint().await;
            }
            node.commit(2).await;
            node.checkpoint().await;
            node.index().await;
            node.close().await;
            assert_eq!(found(&place).await, []);
            // The oldest shows at each start that the root key is the right one, and the newest signs.
            for (version, is_needed) in [(1, true), (2, false), (3, true)] {
                let place = place.twin();
                let row = format!("purpose = 'audit-signing' AND version = {version}");
                let kept = place.column("instance_keys", "public", &row);
                for altered in [vec![9; 32], kept.iter().rev().copied().collect()] {
                    place.run(&format!("UPDATE instance_keys SET public = {} WHERE {row}", place.bytes(&altered)));
                    assert_eq!(has_keys(&place).await, !is_needed, "a server signs with a key that it can be sure of");
                    if !is_needed {
                        let kinds: Vec<_> = found(&place).await.into_iter().map(|it| it.kind).collect();
                        assert_eq!(kinds, [FindingKind::KeyForeign]);
                        go_on(&place).await.expect("the key that signs is sound");
                    }
                }
                place.run(&format!("UPDATE instance_keys SET public = {} WHERE {row}", place.bytes(&kept)));
                assert!(has_keys(&place).await);
                assert_eq!(found(&place).await, []);
            }
        }
    });
}

/// The last records, with the checkpoints that tell of them: how far those told is written down elsewhere too. Nobody signs what is left.
#[test]
fn records_that_were_cut_off_with_their_checkpoints_show_by_how_far_those_told() {
    runtime().block_on(async {
        for place in places() {
            for cut in [1, 4] {
                let place = place.twin();
                let node = Node::open(&place).await;
                node.commit(4).await;
                let (stream, kept) = (tamper::stream_of(last(&place)), tamper::sequence(last(&place)));
                let first = node.checkpoint().await.number;
                node.commit(4).await;
                node.checkpoint().await;
                node.index().await;
                node.close().await;
                let (from, checkpoint) = if cut == 1 { (kept + 1, first + 1) } else { (1, first) };
                for table in ["audit_records", "audit_index"] {
                    place.run(&format!("DELETE FROM {table} WHERE position >= {}", tamper::position(stream, from)));
                }
                place.run(&format!("DELETE FROM audit_checkpoints WHERE number >= {checkpoint}"));
                for _ in 0..2 {
                    let found = found(&place).await;
                    let id = tamper::stream_id(&place, stream);
                    let is_told = |it: &Finding| it.kind == FindingKind::CheckpointsCutOff && it.stream == Some(id);
                    assert!(found.iter().any(is_told), "{found:?}");
                    assert!(go_on(&place).await.is_err(), "a server tells of it each round");
                }
            }
        }
    });
}

/// Readers go by the place of a record, whatever the column beside it says.
#[test]
fn a_sequence_that_was_altered_holds_up_no_reader() {
    runtime().block_on(async {
        for place in places() {
            let node = Node::open(&place).await;
            node.commit(4).await;
            node.index().await;
            node.commit(4).await;
            node.close().await;
            for (which, altered) in [(0, 0), (0, 1), (0, 1_000_000), (2, 0), (2, 3), (2, 8), (3, i64::MAX), (3, -1)] {
                let place = place.twin();
                let waiting = place.numbers(
                    "SELECT position FROM audit_records WHERE position NOT IN (SELECT position FROM audit_index) ORDER BY position",
                );
                let altered = format!("UPDATE audit_records SET sequence = {altered} WHERE position = {}", waiting[which]);
                place.run(&altered);
                // That of the one who indexed before.
                place.run("DELETE FROM leases");
                let reading = tokio::time::timeout(LIMIT, Node::open(&place)).await.expect("it starts");
                tokio::time::timeout(LIMIT, reading.index()).await.expect("nobody waits for ever");
                assert_eq!(unindexed(&place), 0, "{altered}");
                reading.close().await;
                let found = found(&place).await;
                assert_eq!(found.first().map(|it| it.kind), Some(FindingKind::ColumnDiffers), "{altered}: {found:?}");
            }
        }
    });
}

/// However many streams have such a record: the index looks at some at a time, and goes on with the others.
#[test]
fn records_planted_in_many_streams_keep_no_other_from_being_found() {
    runtime().block_on(async {
        for place in places() {
            for streams in [15, 16, 17, 32] {
                let place = place.twin();
                for _ in 0..streams {
                    let node = Node::open(&place).await;
                    node.commit(1).await;
                    node.close().await;
                }
                place.run("DELETE FROM leases");
                let node = Node::open(&place).await;
                node.index().await;
                for last in place.numbers("SELECT max(position) FROM audit_records GROUP BY stream") {
                    tamper::plant_ahead(&place, last, 1_000);
                }
                for _ in 0..2 {
                    tokio::time::timeout(LIMIT, node.index()).await.expect("nobody waits for ever");
                    assert_eq!(unindexed(&place), streams, "all that was planted, and nothing else");
                    node.commit(1).await;
                    tokio::time::timeout(LIMIT, node.index()).await.expect("nobody waits for ever");
                    assert_eq!(unindexed(&place), streams);
                }
                node.close().await;
            }
        }
    });
}
